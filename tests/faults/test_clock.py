"""Clocks that go backwards, copies that are all new, two runs with one id, ids that name no folder."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from factories import Maker, plan, planned
from kedro.io import DatasetError, Version

from diffaug_pipeline.datasets import ImageSetDataset, JSONDataset, ParquetDataset, RunRecordDataset
from diffaug_pipeline.errors import VersionError, explanation_of

TURN = ("2026-11-25T10.00.00.000Z", "2026-10-25T02.30.00.000Z", "nightly", "Zulu", "2026-10-25T02.10.00.000Z")
"""In the order of publication: the clock was set back twice, and some ids are no times."""


def table(folder: Path, version: str | None) -> ParquetDataset:
    return ParquetDataset(filepath=str(folder / "table.parquet"), version=Version(None, version))


def images(folder: Path, version: str | None) -> ImageSetDataset:
    return ImageSetDataset(filepath=str(folder / "images"), version=Version(None, version))


def records(folder: Path, version: str | None) -> RunRecordDataset:
    return RunRecordDataset(filepath=str(folder / "run_record.json"), version=Version(None, version))


CONTENTS = {table: lambda: pd.DataFrame({"a": [1]}), images: lambda: planned(plan(2), Maker()), records: dict}


def publish(folder: Path, kind) -> None:
    """Each in its turn, at an earlier time than the one before."""
    for number, version in enumerate(TURN):
        dataset = kind(folder, version)
        dataset.save(CONTENTS[kind]())
        set_times(dataset.path_of(version), 1_000_000_000 - 3_600 * number)


def set_times(path: Path, seconds: int) -> None:
    for each in (path, *path.rglob("*")):
        os.utime(each, (seconds, seconds))


@pytest.mark.parametrize("kind", CONTENTS)
def test_versions_keep_the_order_of_publication_when_the_clock_is_set_back(tmp_path, kind):
    publish(tmp_path, kind)
    assert kind(tmp_path, None).list_versions(full_path=False) == [*reversed(TURN)]
    assert kind(tmp_path, None).resolve_load_version() == TURN[-1]


@pytest.mark.parametrize("kind", CONTENTS)
def test_versions_keep_the_order_of_publication_when_copied_without_their_times(tmp_path, kind):
    publish(tmp_path / "here", kind)
    shutil.copytree(tmp_path / "here", tmp_path / "there", copy_function=shutil.copyfile)
    for number, path in enumerate(sorted((tmp_path / "there").rglob("*"))):
        os.utime(path, (2_000_000_000 + number, 2_000_000_000 + number))
    assert kind(tmp_path / "there", None).list_versions(full_path=False) == [*reversed(TURN)]


def test_versions_that_were_put_there_by_hand_come_before_those_published_here_by_their_times(tmp_path):
    for version in ("b", "c", "a"):
        table(tmp_path, version).save(pd.DataFrame({"a": [1]}))
    for number, version in enumerate(("old", "older")):
        added = table(tmp_path, None).path_of(version)
        added.parent.mkdir()
        shutil.copyfile(table(tmp_path, None).path_of("a"), added)
        set_times(added, 3_000_000_000 - number)
    assert table(tmp_path, None).list_versions(full_path=False) == ["a", "c", "b", "old", "older"]


def test_a_list_that_a_full_disk_has_cut_off_goes_on_with_a_line_of_its_own(tmp_path):
    for version in ("a", "b"):
        table(tmp_path, version).save(pd.DataFrame({"a": [1]}))
    with (tmp_path / "table.parquet" / ".published").open("a") as listed:
        listed.write("2026-11")
    table(tmp_path, "0").save(pd.DataFrame({"a": [1]}))
    assert table(tmp_path, None).list_versions(full_path=False) == ["0", "b", "a"]


def test_a_run_that_is_gone_on_with_is_the_latest_again(tmp_path):
    for version in ("first", "second"):
        records(tmp_path, version).save({"status": "failed"})
    resumed = records(tmp_path, "first")
    resumed.save({"status": "running"})
    records(tmp_path, "second").read("second")
    resumed.save({"status": "finished"})
    assert records(tmp_path, None).list_versions(full_path=False) == ["first", "second"]


def test_an_id_that_exists_is_not_written_over(tmp_path):
    """Whether by a second run in the same millisecond, or because the clock was set back by just as much."""
    table(tmp_path, "2026-11-25T10.00.00.000Z").save(pd.DataFrame({"a": [1]}))
    with pytest.raises(DatasetError, match="must not exist"):
        table(tmp_path, "2026-11-25T10.00.00.000Z").save(pd.DataFrame({"a": [2]}))
    assert table(tmp_path, None).load()["a"].tolist() == [1]


PATHS = ("../elsewhere", "a/b", "/etc/passwd", "..", ".", ".hidden", "a\\b", "run.lock", "run.owner")
UNUSUAL = ("-rf", "two words", "tab\there", "line\nbreak", "a:b", "é", "夜", "nul\0", "x" * 101, "$(id)", "*")


@pytest.mark.parametrize("version", PATHS + UNUSUAL)
def test_ids_that_name_no_folder_are_refused_before_anything_is_written(tmp_path, version):
    with pytest.raises(VersionError, match="cannot name a folder everywhere; use at most 100 letters, digits"):
        records(tmp_path, version).lock(version)
    with pytest.raises(DatasetError) as refused:
        JSONDataset(filepath=str(tmp_path / "a.json"), version=Version(None, version)).save({})
    assert isinstance(explanation_of(refused.value), VersionError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["nightly-2026-11-22", "2026-11-25T10.00.00.000Z", "a", "X.1_b-", "x" * 100, "0"])
def test_ids_that_name_a_folder_are_taken(tmp_path, version):
    table(tmp_path, version).save(pd.DataFrame({"a": [1]}))
    assert table(tmp_path, None).list_versions(full_path=False) == [version]
    assert table(tmp_path, version).lock(version)


def test_an_id_that_differs_in_case_alone_is_refused(tmp_path):
    records(tmp_path, "Nightly").save({})
    with pytest.raises(
        VersionError, match="'nightly' and 'Nightly', which exists, differ in upper and lower case alone"
    ):
        records(tmp_path, "nightly").lock("nightly")
    assert records(tmp_path, None).list_versions(full_path=False) == ["Nightly"]


@pytest.mark.slow
def test_a_run_with_such_an_id_ends_with_a_sentence_and_leaves_nothing(tmp_path, kedro_run):
    refused = kedro_run(tmp_path / "data", "--pipelines", "classification_data", "--run-id", "../gone", check=False)
    assert refused.returncode == 1
    assert "Error: run id '../gone' cannot name a folder everywhere; use at most 100 letters" in refused.stderr
    assert list(tmp_path.iterdir()) == []
