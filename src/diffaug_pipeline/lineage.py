"""Which version of each dataset a run reads and writes, so that no run mixes artifacts of unrelated ones."""

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.session import RUN_RECORD


def choose_versions(
    pipeline: Pipeline, catalog: DataCatalog, run_id: str, settled: dict[str, str] | None = None
) -> dict[str, str]:
    """The version of every dataset of `pipeline`: the run's own where it makes or has it, else that of one earlier run.

    `settled` versions, chosen by the user or when the run was begun, are kept. The earlier run is the latest whose own
    artifacts, together with those it was made from, are all that is needed. Raises `VersionError` if there is none.
    """
    settled = settled or {}
    names = {name for name in pipeline.datasets() if isinstance(catalog.get(name), VersionedArtifact)}
    own = pipeline.all_outputs() | {RUN_RECORD}
    chosen = {
        name: settled.get(name, run_id)
        for name in names
        if name in own or name in settled or catalog.get(name).has_version(run_id)
    }
    made_elsewhere = names - chosen.keys()
    if missing := sorted(name for name in made_elsewhere if not catalog.get(name).list_versions()):
        raise VersionError(
            f"no version exists of {', '.join(missing)}; run the pipeline that makes it first, "
            "e.g. `kedro run --pipelines classification`."
        )
    return chosen | _from_one_run(made_elsewhere, catalog)


def make_room(pipeline: Pipeline, catalog: DataCatalog, run_id: str) -> None:
    """Takes back into staging what will be made again under `run_id`.

    That is every output of a node that lacks one of its outputs, and of all nodes that follow from it.
    """
    again: set[str] = set()
    for node in pipeline.nodes:
        finished = [name for name in node.outputs if catalog.get(name).has_version(run_id)]
        if len(finished) == len(node.outputs) and again.isdisjoint(node.inputs):
            continue
        again.update(node.outputs)
        for name in finished:
            catalog.get(name).withdraw()


def _from_one_run(names: set[str], catalog: DataCatalog) -> dict[str, str]:
    if not names:
        return {}
    records: RunRecordDataset = catalog.get(RUN_RECORD)
    for run_id in records.list_versions(full_path=False):
        line = _line_of(run_id, names, catalog, set())
        if names <= line.keys():
            return line
    newest = ", ".join(f"{name}:{catalog.get(name).list_versions(full_path=False)[0]}" for name in sorted(names))
    raise VersionError(
        f"no single run provides {', '.join(sorted(names))}, and mixing unrelated runs would compare what does not "
        f"belong together; run the pipeline that makes them, or choose yourself: --load-versions {newest}"
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
