"""The data folder: room, what its file system can do, what crashed runs left there."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.history.tables import show_bytes
from diffaug_pipeline.versions.pruning import plan_pruning
from diffaug_pipeline.versions.sizes import measure
from diffaug_pipeline.versions.store import Store

BYTES_PER_PIXEL = 3
"""What a PNG of a photograph takes at most, about; drawings take much less."""
ENOUGH = 2
"""Times the images: what else a run writes, and the next run."""


def check_folder(data_root: Path) -> Iterator[Finding]:
    """Whether runs can write to `data_root`, or make it, and whether its file system has what they rely on."""
    folder = _existing(data_root)
    try:
        with TemporaryDirectory(prefix=".doctor-", dir=folder) as scratch:
            lacking = list(_try_out(Path(scratch)))
    except OSError as error:
        yield Finding(
            "problem",
            f"{folder} cannot be written to ({error.strerror})",
            "change its owner or mode, or name another folder as data_root in globals.yml.",
        )
        return
    yield from lacking
    if not lacking:
        yield Finding("ok", f"{data_root} can be written to; its file system renames at once, links and locks files")


def _try_out(scratch: Path) -> Iterator[Finding]:
    first, second, link = (scratch / name for name in ("first", "second", "link"))
    first.write_text("new")
    second.write_text("old")
    first.replace(second)
    if second.read_text() != "new" or first.exists():
        yield Finding("problem", "renaming does not replace a file at once", "keep data on a local disk.")
    lock = Lock(scratch / "try.lock")
    lock.acquire("the doctor tries a lock")
    if not lock.is_held():
        yield Finding(
            "problem",
            "locks have no effect, so that two runs could write the same version",
            "keep data on a local disk, or on a network file system with locks.",
        )
    lock.release()
    try:
        os.link(second, link)
    except OSError as error:
        yield Finding(
            "advice",
            f"files cannot be linked ({error.strerror}): images that runs share are copied and take their room again",
            "keep data on a file system with hard links, e.g. ext4, xfs, apfs or ntfs.",
        )


def check_room(data_root: Path, planned_bytes: float) -> Iterator[Finding]:
    """Free disk against what the planned images take at most, about."""
    free = shutil.disk_usage(_existing(data_root)).free
    says = f"{show_bytes(free)} are free; the planned images take at most about {show_bytes(planned_bytes)}"
    make_room = "`kedro versions prune` makes room; or name a folder on a larger disk as data_root."
    if planned_bytes > free:
        yield Finding("problem", says, make_room)
    elif ENOUGH * planned_bytes > free:
        yield Finding("advice", f"{says}, and networks and reports come on top", make_room)
    else:
        yield Finding("ok", says)


def check_staging(store: Store) -> Iterator[Finding]:
    """What nobody writes any more and no run can go on with."""
    planned = plan_pruning(store, max(1, len(store.ledger.runs)), with_reports=False)
    stale = [version.place for version in planned.stale] + planned.leftovers
    if stale:
        size = measure(stale)
        yield Finding(
            "advice",
            f"crashed runs left {size.files:,} files that no run can use, {show_bytes(size.bytes)}",
            "`kedro versions prune` removes them.",
        )
    else:
        yield Finding("ok", "nothing that crashed runs left")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
