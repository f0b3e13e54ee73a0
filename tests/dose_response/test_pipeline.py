import pytest

from diffaug_pipeline.pipelines.dose_response.pipeline import create_pipeline

PARAMETERS = ("dose_response", "training", "evaluation")


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_the_study_needs_what_a_run_has_made_before_its_training_sets(task):
    pipeline = create_pipeline(task)
    made = {f"{task}.{name}" for name in ("real_images", "synthetic_images", "filter_decisions", "copies")}
    assert pipeline.inputs() == made | {f"params:{task}.{name}" for name in PARAMETERS}
    assert {tag for node in pipeline.nodes for tag in node.tags} == {"dose_response"}
    assert all(name.startswith(f"{task}.dose_") for name in pipeline.all_outputs())


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_the_choice_does_not_follow_from_test_images(task):
    pipeline = create_pipeline(task)
    before = {node.name for node in pipeline.to_outputs(f"{task}.dose_choice").nodes}
    assert before == {f"{task}.train_doses", f"{task}.predict_doses", f"{task}.choose_dose"}
    assert f"{task}.dose_choice" in next(node for node in pipeline.nodes if "chosen" in node.name).inputs
