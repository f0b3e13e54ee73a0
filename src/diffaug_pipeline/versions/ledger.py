"""Which run has read what of which other run, from their records."""

from dataclasses import dataclass

from diffaug_pipeline.datasets.run_record import RunRecordDataset
from diffaug_pipeline.history.reading import NOT_AS_WRITTEN
from diffaug_pipeline.history.runs import Run


@dataclass(frozen=True)
class Ledger:
    """All records, as far as they can be read."""

    runs: dict[str, Run]
    """By id, newest first; without results."""
    reads: dict[str, dict[str, str]]
    """By id of a run: the other run that made what it has read, by catalog name."""
    damaged: dict[str, str]
    """By id of a run: why its record cannot be read."""
    held: set[str]
    """Runs that a process is working on; one that has just begun may have no record yet."""

    def readers_of(self, run_id: str, name: str | None = None) -> list[str]:
        """Runs that have read something of run `run_id`, or artifact `name` of it."""
        return [
            reader
            for reader, read in self.reads.items()
            if run_id in (read.values() if name is None else (read.get(name),))
        ]


def read_ledger(records: RunRecordDataset) -> Ledger:
    """As it is now."""
    held = {path.stem for path in records.staging_root.glob("*.lock") if records.lock(path.stem).is_held()}
    runs, reads, damaged = [], {}, {}
    for run_id in records.list_versions(full_path=False):
        try:
            record = records.read(run_id)
            if record["run_id"] != run_id:
                raise ValueError(f"it is that of run {record['run_id']}")
            runs.append(Run.of(record, {}, is_alive=run_id in held))
            reads[run_id] = {name: made for name, made in record["versions_read"].items() if made != run_id}
        except NOT_AS_WRITTEN as error:
            damaged[run_id] = f"{records.path_of(run_id)} cannot be read ({type(error).__name__}: {error})"
    return Ledger({run.run_id: run for run in runs}, reads, damaged, held)
