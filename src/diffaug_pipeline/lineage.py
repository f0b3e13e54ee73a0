"""Which version of each dataset a run reads and writes, so that no run mixes artifacts of unrelated ones."""

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.image_set import ImageSetDataset
from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.resume import shortened
from diffaug_pipeline.session import RUN_RECORD


def choose_versions(
    pipeline: Pipeline,
    catalog: DataCatalog,
    run_id: str,
    asked: dict[str, str] | None = None,
    read_before: dict[str, str] | None = None,
) -> dict[str, str]:
    """The version of every dataset of `pipeline`: the run's own where it makes or has it, else that of one earlier run.

    `asked` versions are the user's choice, `read_before` what an interrupted run had begun with. The earlier run is the
    latest whose own artifacts, together with those it was made from, are all that is needed and agree with what is
    already chosen. Parts of the pipeline that share no dataset, such as two tasks, may each go by a run of their own.
    Raises `VersionError` if there is none, or if the run would make what the user asks to be read.
    An optional artifact that the earlier run does not have either gets the run's own version, which does not exist.
    """
    asked, made_here = asked or {}, pipeline.all_outputs()
    if made_again := sorted(asked.keys() & made_here):
        raise VersionError(
            f"--load-versions names {', '.join(made_again)}, which this run makes itself; leave it out, or select "
            "fewer nodes."
        )
    names = {name for name in pipeline.datasets() if isinstance(catalog.get(name), VersionedArtifact)}
    optional = {name for name in names - made_here if catalog.get(name).is_optional}
    own = dict.fromkeys(names & (made_here | {RUN_RECORD} | optional), run_id)
    settled = (read_before or {}) | {name: run_id for name in names if catalog.get(name).has_version(run_id)} | asked
    agreed = {name: settled[name] for name in names & settled.keys() - (own.keys() - optional)}
    made_elsewhere = names - own.keys() - agreed.keys()
    if missing := sorted(name for name in made_elsewhere if not catalog.get(name).list_versions()):
        raise VersionError(
            f"no version exists of {', '.join(missing)}; run the pipeline that makes it first, "
            "e.g. `kedro run --pipelines classification`."
        )
    found = {}
    for part in _parts(pipeline, names - {RUN_RECORD}):
        of_part = {name: version for name, version in agreed.items() if name in part}
        found |= _from_one_run(made_elsewhere & part, optional & part, catalog, of_part)
    return own | found | agreed


def refuse_changed_inputs(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raises `VersionError` naming the user's files that are not what image sets say which were made before."""
    sets = [
        dataset for name in sorted(pipeline.datasets()) if isinstance(dataset := catalog.get(name), ImageSetDataset)
    ]
    changed = dict.fromkeys(problem for images in sets if images.exists() for problem in images.changed_sources())
    if changed:
        raise VersionError(
            "files that the run has read are no longer what they were:\n  "
            + "\n  ".join(shortened(list(changed)))
            + "\nput them back and resume, or start a new run."
        )


def outdate_followers(pipeline: Pipeline, catalog: DataCatalog, run_id: str) -> None:
    """Sees to it that every node which lacks an output under `run_id` runs, and every node that follows from it."""
    again: set[str] = set()
    for node in pipeline.nodes:
        finished = [name for name in node.outputs if catalog.get(name).has_version(run_id)]
        if len(finished) == len(node.outputs) and again.isdisjoint(node.inputs):
            continue
        again.update(node.outputs)
        for name in finished:
            catalog.get(name).outdate()


def _parts(pipeline: Pipeline, names: set[str]) -> list[set[str]]:
    """`names` by the parts of the pipeline that no node connects."""
    parts: list[set[str]] = []
    for node in pipeline.nodes:
        touching = names & {*node.inputs, *node.outputs}
        connected = [part for part in parts if part & touching]
        parts = [part for part in parts if not part & touching] + [touching.union(*connected)]
    return parts


def _from_one_run(names: set[str], optional: set[str], catalog: DataCatalog, agreed: dict[str, str]) -> dict[str, str]:
    """The version of all `names`, and of those `optional` ones that belong to the same run."""
    if not names:
        return {}
    records: RunRecordDataset = catalog.get(RUN_RECORD)
    for run_id in records.list_versions(full_path=False):
        line = _line_of(run_id, names | optional | agreed.keys(), catalog, set())
        if names <= line.keys() and all(line.get(name, version) == version for name, version in agreed.items()):
            return {name: line[name] for name in (names | optional) & line.keys()}
    newest = ", ".join(f"{name}:{catalog.get(name).list_versions(full_path=False)[0]}" for name in sorted(names))
    raise VersionError(
        f"no single run provides {', '.join(sorted(names))} that belong to what else is read, and mixing unrelated "
        f"runs would compare what does not belong together; run the pipeline that makes them, or choose yourself: "
        f"--load-versions {newest}"
    )


def _line_of(run_id: str, names: set[str], catalog: DataCatalog, seen: set[str]) -> dict[str, str]:
    """Version by name of what run `run_id` made, read, or what that was made from."""
    records: RunRecordDataset = catalog.get(RUN_RECORD)
    seen.add(run_id)
    line = {name: run_id for name in names if catalog.get(name).has_version(run_id)}
    if not records.has_version(run_id):
        return line
    read = records.read(run_id).get("versions_read", {})
    line = {name: read[name] for name in names & read.keys() if catalog.get(name).has_version(read[name])} | line
    for earlier in dict.fromkeys(read.values()):
        if earlier not in seen:
            line = _line_of(earlier, names, catalog, seen) | line
    return line
