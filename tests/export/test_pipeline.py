import pytest

from diffaug_pipeline.export.run import RunArtifacts
from diffaug_pipeline.pipelines.export.pipeline import ARTIFACTS, create_pipeline


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_the_export_reads_what_a_run_has_made_and_makes_one_folder(task):
    pipeline = create_pipeline(task)
    parameters = {f"params:{task}.export", "params:generators", "params:licences"}
    artifacts = {name for name in pipeline.inputs() if not name.startswith("params:")}
    assert pipeline.inputs() - artifacts == parameters
    assert artifacts - {"run_record", f"{task}.augmented.training_set"} == {
        f"{task}.{name}" for name in ARTIFACTS.keys() - {"run_record", "training_set"}
    }
    assert pipeline.outputs() == {f"{task}.exported_dataset"}
    assert {tag for node in pipeline.nodes for tag in node.tags} == {"export"}


def test_every_artifact_is_handed_over():
    assert ARTIFACTS.keys() == RunArtifacts.__dataclass_fields__.keys()
