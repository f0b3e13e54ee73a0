import pytest

from diffaug_pipeline.pipelines.robustness.pipeline import create_pipeline

ARMS = ("real_only", "augmented")


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_the_study_needs_what_a_run_has_trained(task):
    pipeline = create_pipeline(task, ARMS)
    of_arms = {f"{task}.{arm}.{name}" for arm in ARMS for name in ("checkpoint", "predictions")}
    parameters = {f"params:{task}.{name}" for name in ("robustness", "training", "evaluation")}
    assert pipeline.inputs() == {f"{task}.real_images"} | of_arms | parameters
    assert {tag for node in pipeline.nodes for tag in node.tags} == {"robustness"}


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_the_report_finds_the_document_the_figures_and_the_sheet(task):
    made = {"robustness", "robustness_figure", "reliability_figure", "corruption_sheet"}
    assert create_pipeline(task, ARMS).outputs() == {f"{task}.{name}" for name in made - {"robustness"}}
    assert {f"{task}.{name}" for name in made} <= create_pipeline(task, ARMS).all_outputs()
