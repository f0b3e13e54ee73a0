"""Every file against the checksum that was taken when it was written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.datasets.checksums import Digest, differences, sha256_of
from diffaug_pipeline.history.reading import NOT_AS_WRITTEN
from diffaug_pipeline.history.runs import PRUNED
from diffaug_pipeline.progress import progress_bar
from diffaug_pipeline.session import RUN_RECORD
from diffaug_pipeline.versions.sizes import Size, measure
from diffaug_pipeline.versions.store import DAMAGED, STAGED, Store, StoredVersion


@dataclass
class Verification:
    """What was found; the same finding once."""

    versions: int = 0
    size: Size = field(default_factory=lambda: Size(0, 0, 0))
    problems: dict[str, None] = field(default_factory=dict)
    """A sentence for each file of a run that is not as it was written."""
    changed_sources: dict[str, None] = field(default_factory=dict)
    """A sentence for each file of the user's own that is no longer what a run has read."""
    unrecorded: list[Path] = field(default_factory=list)
    """Files of which no checksum is recorded."""
    running: set[str] = field(default_factory=set)
    """Runs that were not looked at because they are being run."""


def verify(store: Store, run_id: str | None = None) -> Verification:
    """Reads every file of one run, or of all, but for what is in staging. A file linked to several is read once."""
    ledger = store.ledger
    versions = [
        version
        for version in store.versions(run_id=run_id)
        if version.state != STAGED and version.run_id not in ledger.held
    ]
    found = Verification(
        versions=len(versions),
        size=measure(version.place for version in versions),
        running={held for held in ledger.held if run_id in (None, held)},
    )
    found.problems |= dict.fromkeys(problem for of, problem in ledger.damaged.items() if run_id in (None, of))
    found.problems |= dict.fromkeys(_missing(store, run_id))
    digest = _remembering()
    with progress_bar(found.size.files, "verifying", "files") as bar:

        def counting(path: Path) -> str:
            bar.update()
            return digest(path)

        for version in versions:
            _verify_version(version, store, found, digest=counting, digest_of_source=digest)
    return found


def _verify_version(
    version: StoredVersion, store: Store, found: Verification, digest: Digest, digest_of_source: Digest
) -> None:
    if version.state == DAMAGED:
        seal = store.artifacts[version.name].seal_of(version.path)
        found.problems[f"{seal} is missing"] = None
        return
    artifact = store.project.artifact(version.name, version.run_id)
    try:
        problems = [*_against_record(version, store, found, digest), *artifact.verify(digest), *_beside(version)]
        found.problems |= dict.fromkeys(problems)
        if isinstance(artifact, ImageSetDataset):
            found.changed_sources |= dict.fromkeys(artifact.changed_sources(digest_of_source))
    except NOT_AS_WRITTEN as error:
        found.problems[f"{version.path} cannot be understood ({type(error).__name__}: {error})"] = None


def _against_record(version: StoredVersion, store: Store, found: Verification, digest: Digest) -> list[str]:
    run, seal = store.ledger.runs.get(version.run_id), store.artifacts[version.name].seal_of(version.path)
    recorded = run.outputs.get(version.name, {}).get("sha256") if run else None
    if recorded is None and seal == version.path and version.name != RUN_RECORD:
        found.unrecorded.append(seal)
    return [] if recorded is None else differences(seal.parent, {seal.name: recorded}, digest)


def _beside(version: StoredVersion) -> Iterator[str]:
    """A run record is written in place: a run that was killed may leave half of one beside it."""
    if version.name != RUN_RECORD:
        for path in sorted(version.place.iterdir()):
            if path != version.path:
                yield f"{path} was not there when the rest was written"


def _missing(store: Store, run_id: str | None) -> Iterator[str]:
    """Outputs that a run has recorded and not begun anew."""
    for run in store.ledger.runs.values():
        if run_id in (None, run.run_id) and run.status != PRUNED and run.run_id not in store.ledger.held:
            for name in run.outputs.keys() & store.artifacts.keys():
                artifact = store.artifacts[name]
                if not (artifact.path_of(run.run_id).exists() or artifact.staged_path_of(run.run_id).exists()):
                    yield f"{artifact.path_of(run.run_id)} is missing"


def _remembering() -> Callable[[Path], str]:
    """Digests by file, so that one which is linked to several versions, or read by several runs, is read once."""
    known: dict[tuple[int, int], str] = {}

    def digest(path: Path) -> str:
        found = path.stat()
        identity = (found.st_dev, found.st_ino)
        if identity not in known:
            known[identity] = sha256_of(path)
        return known[identity]

    return digest
