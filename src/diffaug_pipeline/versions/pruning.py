"""Deletes what old runs have stored; never what a run needs that stays, nor anything of the user's own.

A version goes out of sight by one rename before its files are deleted, so that whoever dies in between leaves nothing
half there; the next pruning deletes the rest.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from diffaug_pipeline.datasets import JSONDataset
from diffaug_pipeline.datasets.files import FileDataset
from diffaug_pipeline.errors import DiskSpaceError, VersionError
from diffaug_pipeline.history.runs import PRUNED
from diffaug_pipeline.progress import track
from diffaug_pipeline.session import RUN_RECORD
from diffaug_pipeline.versions.ledger import Ledger, read_ledger
from diffaug_pipeline.versions.sizes import measure
from diffaug_pipeline.versions.store import STAGED, Store, StoredVersion

FINISHED = "finished"


@dataclass(frozen=True)
class Pruning:
    """What is to go, and what is not."""

    keep: int
    kept: dict[str, str]
    """By id of a run: why it stays."""
    going: dict[str, list[StoredVersion]]
    """By id of a run, newest first; of one that has stored nothing but history there is nothing to delete."""
    stale: list[StoredVersion]
    """In staging, of runs that stay, and of no further use."""
    unrecorded: list[StoredVersion]
    """Of no run that is recorded; nobody knows what they are needed for, so they stay."""
    leftovers: list[Path]
    """What an interrupted pruning has not yet deleted."""

    @property
    def is_needed(self) -> bool:
        """Whether anything goes."""
        return bool(self.going or self.stale or self.leftovers)

    @property
    def places(self) -> list[Path]:
        """Files and folders to be deleted."""
        of_runs = [version.place for versions in self.going.values() for version in versions]
        return of_runs + [version.place for version in self.stale] + self.leftovers


def plan_pruning(store: Store, keep: int, *, with_reports: bool) -> Pruning:
    """What goes if the `keep` newest runs stay, and whatever they have read or go back to.

    Of the runs that go their records, documents and reports stay, unless `with_reports` they go too.
    Raises `VersionError` if a record is damaged: what its run needs is not known.
    """
    kept = runs_to_keep(store.ledger, keep)
    going: dict[str, list[StoredVersion]] = {run_id: [] for run_id in store.ledger.runs if run_id not in kept}
    stale, unrecorded = [], []
    for version in store.versions():
        if version.run_id in going:
            if version.state == STAGED or with_reports or not _is_history(version, store):
                going[version.run_id].append(version)
        elif version.state == STAGED and _is_stale(version, store):
            stale.append(version)
        elif version.run_id not in store.ledger.runs and version.run_id not in store.ledger.held:
            unrecorded.append(version)
    return Pruning(
        keep=keep,
        kept=kept,
        going={
            run_id: versions
            for run_id, versions in going.items()
            if versions or store.ledger.runs[run_id].status != PRUNED
        },
        stale=stale,
        unrecorded=unrecorded,
        leftovers=[root for artifact in store.artifacts.values() if (root := artifact.discarded_root).exists()],
    )


def runs_to_keep(ledger: Ledger, keep: int) -> dict[str, str]:
    """Ids of the runs that stay, each with the reason. Raises `VersionError` if a record is damaged."""
    if ledger.damaged:
        raise VersionError(
            "\n".join(ledger.damaged.values())
            + "\nwhat such a run needs is not known, so nothing is pruned; restore the record, or delete it to give up "
            "the run."
        )
    whole = [run_id for run_id, run in ledger.runs.items() if run.status != PRUNED]
    kept = dict.fromkeys(whole[:keep], f"one of the {keep} newest" if keep > 1 else "the newest")
    kept |= dict.fromkeys(sorted(ledger.held), "is being run")
    line = list(kept)
    for run_id in line:  # grows meanwhile
        for earlier in ledger.reads.get(run_id, {}).values():
            if earlier not in kept:
                kept[earlier] = f"{run_id} has read it"
                line.append(earlier)
    return kept


def prune(store: Store, planned: Pruning) -> None:
    """Deletes what is planned, but for what a run has begun to need since.

    Raises `VersionError` if a run that is to go is just being resumed.
    """
    with store.records.settling():
        kept = runs_to_keep(read_ledger(store.records), planned.keep)
        for run_id, versions in sorted(planned.going.items(), key=lambda of_run: not of_run[1]):
            if run_id not in kept:
                try:
                    _discard_run(run_id, versions, store)
                except DiskSpaceError:  # a full disk holds neither the lock nor the mark of a run
                    if not versions:
                        raise
                    _discard_run(run_id, _make_room(versions, store), store)
        for version in planned.stale:
            _discard_staged(version, store)
    for artifact in track(store.artifacts.values(), len(store.artifacts), "deleting", "artifacts"):
        artifact.delete_discarded()


def _discard_run(run_id: str, versions: list[StoredVersion], store: Store) -> None:
    lock = store.records.lock(run_id)
    lock.acquire(f"run {run_id} is being run")
    try:
        if store.ledger.runs[run_id].status != PRUNED and store.records.has_version(run_id):
            store.records.amend(run_id, pruned=datetime.now(UTC).isoformat(timespec="seconds"))
        for version in versions:  # the record comes last
            store.artifacts[version.name].discard(version.place)
    finally:
        lock.release()


def _make_room(versions: list[StoredVersion], store: Store) -> list[StoredVersion]:
    """Deletes the version that frees most, without writing anything, not even a folder; returns the others left."""
    left = [version for version in versions if version.place.exists() or version.place.is_symlink()]
    largest = max(left, key=lambda version: measure([version.place]).freed_bytes)
    store.artifacts[largest.name].seal_of(largest.path).unlink(missing_ok=True)
    if largest.place.is_dir() and not largest.place.is_symlink():
        shutil.rmtree(largest.place)
    else:
        largest.place.unlink(missing_ok=True)
    return [version for version in left if version is not largest]


def _discard_staged(version: StoredVersion, store: Store) -> None:
    artifact = store.artifacts[version.name]
    lock = artifact.lock(version.run_id)
    lock.acquire(f"{version.place} is being written")
    try:
        artifact.discard(version.place)
    finally:
        lock.release()


def _is_history(version: StoredVersion, store: Store) -> bool:
    """Whether it is what the history of runs tells of: the record, documents, and files of the reporting layer."""
    artifact, reporting = store.artifacts[version.name], store.records.root.parent
    is_told_of = isinstance(artifact, JSONDataset) or version.path.is_relative_to(reporting)
    return version.name == RUN_RECORD or (isinstance(artifact, FileDataset) and is_told_of)


def _is_stale(version: StoredVersion, store: Store) -> bool:
    """Whether nobody writes it, and no run can go on with it."""
    artifact, run = store.artifacts[version.name], store.ledger.runs.get(version.run_id)
    if version.run_id in store.ledger.held or artifact.lock(version.run_id).is_held():
        return False
    is_over = run is None or all(attempt.status == FINISHED for attempt in run.attempts)
    return is_over or artifact.has_version(version.run_id)
