"""What is said in the place of errors that come from a full disk, or from a folder that may not be written to."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diffaug_pipeline.errors import DiskSpaceError, NotWritableError, causes_of, explanation_of

FULL = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def writing_below(folder: Path) -> Iterator[None]:
    """Raises `DiskSpaceError` or `NotWritableError` if the block fails because `folder` takes no more."""
    try:
        yield
    except Exception as error:
        if explanation_of(error) is not None:
            raise
        if any(map(_is_full, causes_of(error))):
            raise DiskSpaceError(_describe_full_disk(folder)) from error
        if denied := next((cause for cause in causes_of(error) if _is_denied(cause, folder)), None):
            raise NotWritableError(
                f"{folder} may not be written to ({os.strerror(denied.errno)}); make it writable, or choose another "
                "data folder: --params data_root=<folder>."
            ) from error
        raise


def _is_full(error: BaseException) -> bool:
    # Rust libraries (safetensors) tell it in words only.
    return (isinstance(error, OSError) and error.errno in FULL) or os.strerror(errno.ENOSPC) in str(error)


def _is_denied(error: BaseException, folder: Path) -> bool:
    """Also files of the user are read while a dataset is saved; those are not meant."""
    if not isinstance(error, OSError) or error.errno not in NOT_WRITABLE:
        return False
    denied = Path(error.filename) if isinstance(error.filename, str) else folder
    return denied.is_relative_to(folder) or folder.is_relative_to(denied)


def _describe_full_disk(folder: Path) -> str:
    from diffaug_pipeline.history.tables import show_bytes

    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = show_bytes(shutil.disk_usage(existing).free)
    return f"the disk is full: {free} are free at {folder}; nothing half-written counts; make room and resume the run."
