"""Which arm is merged from what."""

import pytest

from diffaug_pipeline.pipelines.merging.pipeline import create_pipeline

DECIDED = {f"detection.{name}" for name in ("real_images", "synthetic_images", "filter_decisions", "copies")}


@pytest.mark.parametrize(
    ("arm", "inputs"),
    [
        ("real_only", {"detection.real_images"}),
        ("augmented", DECIDED | {"params:detection.merging"}),
        ("random_filtered", DECIDED | {"params:detection.merging"}),
        ("synthetic_only", DECIDED),
        (
            "copy_paste",
            {
                "detection.real_images",
                "detection.copy_paste.synthetic_images",
                "detection.filter_decisions",
                "detection.copy_paste.copies",
                "params:detection.merging",
            },
        ),
    ],
)
def test_every_arm_with_synthetic_images_is_checked_for_copies_of_its_own(arm, inputs):
    pipeline = create_pipeline("detection", [arm])
    assert pipeline.inputs() == inputs
    assert pipeline.outputs() == {f"detection.{arm}.training_set"}
