"""Versions as lines of text for a terminal."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from diffaug_pipeline.history.reading import NOT_AS_WRITTEN
from diffaug_pipeline.history.tables import NOTHING, show_bytes
from diffaug_pipeline.history.text import align
from diffaug_pipeline.versions.ledger import Ledger
from diffaug_pipeline.versions.pruning import Pruning
from diffaug_pipeline.versions.sizes import Size, measure
from diffaug_pipeline.versions.store import STAGED, Store, StoredVersion
from diffaug_pipeline.versions.verification import Verification

RUN_COLUMNS = ("run", "status", "age", "artifacts", "staged", "size", "freed", "reads", "read by")
VERSION_COLUMNS = ("run", "artifact", "state", "age", "files", "size", "freed", "reused", "sha256", "read by")
NO_RECORD, DAMAGED_RECORD = "no record", "damaged record"
DIGITS_SHOWN = 12
MOST_NAMED = 3
EXPLANATION = "freed: by deleting it alone; images that are linked into other versions stay."


def list_runs(store: Store) -> list[str]:
    """A row of `RUN_COLUMNS` for each run, newest first, and for each that is known by its versions alone."""
    versions: dict[str, list[StoredVersion]] = {run_id: [] for run_id in store.ledger.runs}
    for version in store.versions():
        versions.setdefault(version.run_id, []).append(version)
    if not versions:
        return [f"no run has stored anything in {store.project.data_root}."]
    return [*align([RUN_COLUMNS, *(_run_row(run_id, store, versions[run_id]) for run_id in versions)]), EXPLANATION]


def list_versions(store: Store, versions: Iterable[StoredVersion]) -> list[str]:
    """A row of `VERSION_COLUMNS` for each."""
    return [*align([VERSION_COLUMNS, *(_version_row(version, store) for version in versions)]), EXPLANATION]


def describe_run(store: Store, run_id: str) -> list[str]:
    """What it has read, who reads it, and all that it has stored."""
    run, ledger = store.ledger.runs.get(run_id), store.ledger
    lines = [f"run {run_id}: {_status(run_id, ledger)}"]
    lines += [f"  started {run.started:%Y-%m-%d %H:%M} UTC"] if run else []
    lines += [f"  has read {name} of {made}" for name, made in ledger.reads.get(run_id, {}).items()]
    for reader, read in ledger.reads.items():
        lines += [f"  {name} has been read by {reader}" for name, made in read.items() if made == run_id]
    return lines + list_versions(store, store.versions(run_id=run_id))


def describe_version(store: Store, version: StoredVersion) -> list[str]:
    """Where it lies, and the checksum of each file that tells one."""
    size = measure([version.place])
    facts = [
        ("artifact", version.name),
        ("run", version.run_id),
        ("state", version.state),
        ("path", str(version.path)),
        ("files", f"{size.files:,}"),
        ("size", f"{size.bytes:,} bytes"),
        ("freed", f"{size.freed_bytes:,} bytes"),
        ("sha256", _output(version, store).get("sha256", "not recorded")),
        ("read by", ", ".join(store.ledger.readers_of(version.run_id, version.name)) or NOTHING),
    ]
    return align(facts) + _files(version, store)


def describe_pruning(planned: Pruning, store: Store) -> list[str]:
    """What goes, what stays and why, how much is freed."""
    lines = []
    for run_id, versions in planned.going.items():
        started = f"{store.ledger.runs[run_id].started:%Y-%m-%d %H:%M}"
        count = f"{len(versions)} version{'s' * (len(versions) != 1)}"
        lines.append((f"  {run_id}", started, count, show_bytes(measure(version.place for version in versions).bytes)))
    lines = ["goes:", *align(lines)] if lines else []
    lines += [f"  {version.path}: can no longer be gone on with" for version in planned.stale]
    lines += [f"  {place}: left by a pruning that was interrupted" for place in planned.leftovers]
    unknown = {version.run_id: "is in no record, so that nobody knows what needs it" for version in planned.unrecorded}
    staying = [(f"  {run_id}", why) for run_id, why in (unknown | planned.kept).items()]
    lines += ["stays:", *align(staying)] if staying else []
    return [*lines, _gain(measure(planned.places)) if planned.is_needed else "nothing goes."]


def describe_verification(found: Verification) -> Iterator[str]:
    """Problems, then what could not be checked, then the sum."""
    yield from found.problems
    for sentence in found.changed_sources:
        yield f"input: {sentence}"
    for run_id in sorted(found.running):
        yield f"not checked: run {run_id}, which is being run"
    if found.unrecorded:
        yield f"not checked: {len(found.unrecorded):,} files whose checksum no record holds, e.g. {found.unrecorded[0]}"
    yield (
        f"versions: {found.versions:,}; files: {found.size.files:,}, {show_bytes(found.size.bytes)}; "
        f"problems: {len(found.problems):,}; changed inputs: {len(found.changed_sources):,}"
    )


def _run_row(run_id: str, store: Store, versions: list[StoredVersion]) -> tuple[str, ...]:
    ledger, size = store.ledger, measure(version.place for version in versions)
    staged = sum(version.state == STAGED for version in versions)
    run = ledger.runs.get(run_id)
    return (
        run_id,
        _status(run_id, ledger),
        _age(run.started) if run else NOTHING,
        str(len(versions) - staged),
        str(staged),
        *_sizes(size),
        _named(ledger.reads.get(run_id, {}).values()),
        _named(ledger.readers_of(run_id)),
    )


def _version_row(version: StoredVersion, store: Store) -> tuple[str, ...]:
    size, output = measure([version.place]), _output(version, store)
    written = datetime.fromtimestamp(version.path.stat().st_mtime, UTC)
    return (
        version.run_id,
        version.name,
        version.state,
        _age(written),
        f"{size.files:,}",
        *_sizes(size),
        f"{output['images_reused']:,}" if "images_reused" in output else NOTHING,
        output.get("sha256", NOTHING)[:DIGITS_SHOWN],
        _named(store.ledger.readers_of(version.run_id, version.name)),
    )


def _gain(size: Size) -> str:
    linked = size.bytes - size.freed_bytes
    return f"frees {show_bytes(size.freed_bytes)}" + (
        f"; {show_bytes(linked)} are linked from what stays" if linked else ""
    )


def _files(version: StoredVersion, store: Store) -> list[str]:
    """Of a folder, the checksums in its manifest."""
    seal = store.artifacts[version.name].seal_of(version.path)
    if seal == version.path or not seal.exists():
        return []
    try:
        return align((f"  {name}", sha256) for name, sha256 in json.loads(seal.read_text())["files"].items())
    except NOT_AS_WRITTEN as error:
        return [f"  {seal} cannot be read ({type(error).__name__}: {error})"]


def _output(version: StoredVersion, store: Store) -> dict:
    run = store.ledger.runs.get(version.run_id)
    return run.outputs.get(version.name, {}) if run else {}


def _status(run_id: str, ledger: Ledger) -> str:
    if run_id in ledger.damaged:
        return DAMAGED_RECORD
    return ledger.runs[run_id].status if run_id in ledger.runs else NO_RECORD


def _sizes(size: Size) -> tuple[str, str]:
    return show_bytes(size.bytes), show_bytes(size.freed_bytes)


def _named(run_ids: Iterable[str]) -> str:
    names = list(dict.fromkeys(run_ids))
    further = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + further or NOTHING


def _age(moment: datetime) -> str:
    return show_age(datetime.now(UTC) - moment)


def show_age(age: timedelta) -> str:
    """In the largest unit that fits.

    >>> show_age(timedelta(seconds=90)), show_age(timedelta(hours=30)), show_age(timedelta(days=400))
    ('1 min', '1 d', '400 d')
    """
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 24 * 60 else f"{minutes // 1_440} d"
