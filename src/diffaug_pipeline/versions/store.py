"""Every version of every artifact that lies on disk, whole or not."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kedro.framework.project import pipelines

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.reading import BY_TURN, History
from diffaug_pipeline.project import Project
from diffaug_pipeline.session import RUN_RECORD
from diffaug_pipeline.versions.ledger import Ledger, read_ledger

COMPLETE, STAGED, DAMAGED = "complete", "in staging", "damaged"


@dataclass(frozen=True)
class StoredVersion:
    """What one run has written of one artifact."""

    name: str
    """In the catalog."""
    run_id: str
    state: str
    """`COMPLETE`, `STAGED`: begun and not finished, or `DAMAGED`: what was written last is no longer there."""
    path: Path
    """The file or the folder."""
    place: Path
    """What goes when it is deleted: the folder of the version, or what is staged."""


class Store:
    """The versions of the artifacts that the catalog knows, and the records of the runs that made them."""

    def __init__(self, project: Project):
        self.project = project
        self.records: RunRecordDataset = project.artifact(RUN_RECORD)
        self.ledger: Ledger = read_ledger(self.records)

    @cached_property
    def artifacts(self) -> dict[str, VersionedArtifact]:
        """By catalog name: what the pipelines make and what records name; the record of a run comes last."""
        made = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
        recorded = {name for run in self.ledger.runs.values() for name in run.outputs}
        found = {name: self.project.artifact(name) for name in sorted(made | recorded)}
        known = {name: artifact for name, artifact in found.items() if isinstance(artifact, VersionedArtifact)}
        return known | {RUN_RECORD: self.records}

    def versions(self, name: str | None = None, run_id: str | None = None) -> Iterator[StoredVersion]:
        """All, or those of one artifact or one run."""
        for each, artifact in self.artifacts.items():
            if name in (None, each):
                yield from _versions_of(each, artifact, _run_ids(artifact) if run_id is None else [run_id])

    def find_run(self, run_id: str) -> str:
        """The id meant, which may be `last`. Raises `VersionError` if nothing is stored of such a run."""
        if run_id not in BY_TURN and any(self.versions(run_id=run_id)):
            return run_id
        return History(list(self.ledger.runs.values()), []).find(run_id).run_id

    def find(self, name: str | None, run_id: str | None) -> list[StoredVersion]:
        """What is stored of an artifact, a run (also `last`), or both. Raises `VersionError` if there is nothing."""
        found = list(self.versions(name, run_id and self.find_run(run_id)))
        if not found:
            raise VersionError(
                f"no version of {name!r} is stored; `kedro versions show RUN` lists what a run has stored, "
                "`kedro versions ls` the runs."
            )
        return found


def _versions_of(name: str, artifact: VersionedArtifact, run_ids: list[str]) -> Iterator[StoredVersion]:
    for run_id in run_ids:
        published, staged = artifact.path_of(run_id), artifact.staged_path_of(run_id)
        if published.exists():
            state = COMPLETE if artifact.is_complete(published) else DAMAGED
            yield StoredVersion(name, run_id, state, published, published.parent)
        if staged.exists():
            yield StoredVersion(name, run_id, STAGED, staged, staged)


def _run_ids(artifact: VersionedArtifact) -> list[str]:
    published = {path.name for path in artifact.root.glob("[!.]*")}
    return sorted(published | artifact.staged_versions())
