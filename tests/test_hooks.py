"""What a run says at its end."""

from dose_response import dose_cases
from history.history_cases import record
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import Node, Pipeline
from robustness import robustness_cases

from diffaug_pipeline import hooks
from diffaug_pipeline.datasets import RunRecordDataset


def test_a_run_ends_with_what_its_studies_found_and_what_took_long(tmp_path, capsys):
    found = {
        "detection.dose_response": dose_cases.document(tmp_path),
        "detection.robustness": robustness_cases.document("map_50_95"),
    }
    outputs = ["dose_response", "robustness", "dose_figure"]
    study = Pipeline([Node(lambda: None, inputs=None, outputs=outputs, name="study")], namespace="detection")
    records = RunRecordDataset(filepath=str(tmp_path / "record.json"), version=Version(None, "r1"))
    attempt = {"started": "2026-01-01T12:00:00+00:00", "finished": "2026-01-01T12:01:30+00:00"}
    nodes = {
        f"detection.{node}": {"tags": [stage], "seconds": seconds, "outputs": {}}
        for node, stage, seconds in (
            ("a", "dose_response", 40.0),
            ("b", "dose_response", 30.0),
            ("c", "robustness", 12.0),
            ("d", "evaluation", 3.0),
            ("e", "merging", 1.0),
        )
    }
    records.save(record("r1", attempts=[attempt], nodes=nodes))
    stored = {name: MemoryDataset(document) for name, document in found.items()}
    catalog = DataCatalog(stored | {"detection.dose_figure": MemoryDataset(), "run_record": records})
    hooks.RunSummary().after_pipeline_run({"run_id": "r1"}, study, catalog)
    printed = capsys.readouterr().out.splitlines()
    assert printed[1] == "run r1"
    assert printed[2].startswith("detection: Use 0.5 synthetic images per real one, 33% of every batch: +")
    assert printed[3].startswith("detection: Under 2 corruptions mAP50-95 is on average 54.0 % for real_only")
    assert printed[4] == (
        "took 1 min 30 s; slowest: detection dose_response 1 min 10 s, detection robustness 12.0 s, "
        "detection evaluation 3.0 s"
    )
