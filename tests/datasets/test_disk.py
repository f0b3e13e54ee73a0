"""Errors as libraries raise them; `tests/faults/test_disk_full.py` has disks that are really full."""

import errno
from pathlib import Path

import pytest

from diffaug_pipeline.datasets.disk import writing_below
from diffaug_pipeline.errors import DiskSpaceError, NotWritableError, VersionError


def raise_below(folder: Path, error: Exception, cause: Exception | None = None) -> None:
    with writing_below(folder):
        raise error from cause


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_used_up_quota_are_told_in_a_sentence(tmp_path, number):
    with pytest.raises(DiskSpaceError, match=r"^the disk is full: .*B are free at .*/not/yet; .*make room and resume"):
        raise_below(tmp_path / "not" / "yet", OSError(number, "as the system says it"))


def test_also_when_another_error_stands_before_it_or_words_are_all_there_is(tmp_path):
    with pytest.raises(DiskSpaceError):
        raise_below(tmp_path, RuntimeError("could not write"), OSError(errno.ENOSPC, "full"))
    with pytest.raises(DiskSpaceError):
        raise_below(tmp_path, RuntimeError("I/O error: No space left on device (os error 28)"))


@pytest.mark.parametrize("denied", [".", "v1/table.parquet", ".."])
def test_a_folder_that_does_not_allow_it_is_named_with_the_reason(tmp_path, denied):
    with pytest.raises(NotWritableError, match=r"images may not be written to \(Permission denied\); make it writable"):
        raise_below(
            tmp_path / "images", PermissionError(errno.EACCES, "no", str((tmp_path / "images" / denied).resolve()))
        )


@pytest.mark.parametrize(
    "error",
    [PermissionError(errno.EACCES, "no", "/elsewhere/a.jpg"), OSError(errno.EIO, "broken"), VersionError("ours")],
)
def test_other_errors_stay_what_they_are(tmp_path, error):
    with pytest.raises(type(error)) as raised:
        raise_below(tmp_path, error)
    assert raised.value is error
