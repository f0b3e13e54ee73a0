"""What a reader must know before believing a report."""

from typing import Any

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.labelling.options import OBJECTS_STAY_REAL, LabellingOptions, StrategyName
from diffaug_pipeline.run_environment import describe_changed_attempts
from diffaug_pipeline.synthesis.known_classes import describe_unknown, unknown_classes
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

STRATEGY_DESCRIPTIONS: dict[StrategyName, str] = {
    "background_inpainting": "objects of real images, their surroundings drawn anew",
    "composition": "generated objects, cut out and pasted onto real training images",
    "object_inpainting": "real images, objects of which are drawn anew",
    "image_to_image": "real images drawn over as a whole, their boxes kept",
    "pseudo_labelling": "scenes drawn from text, the boxes found by a detector",
}


def find_warnings(
    class_names: list[str],
    preset: GeneratorPreset,
    calibration: dict[str, Any],
    accepted: dict[str, dict[str, int]],
    ingestion_report: dict[str, Any],
    run_record: dict[str, Any],
) -> list[str]:
    """What makes the result mean less than it seems to.

    `class_names` are those the generator was asked for; `accepted` says by class how many images, or boxes, were.
    """
    warnings = []
    if unknown := unknown_classes(preset.model, class_names):
        warnings.append(
            f"{describe_unknown(preset.model, unknown)} The synthetic images cannot show these classes by themselves. "
            "For a real answer choose a generator that knows them: synthesis.generator: sd15, sd21 or sdxl."
        )
    if not preset.commercial_use:
        warnings.append(
            f"The generator's licence, {preset.licence}, allows no commercial use of what it makes; a network trained "
            "on its images may fall under it as well. For commercial work choose another synthesis.generator."
        )
    if calibration["switched_off"] is not None:
        warnings.append(
            f"The filter's rules about classes were off. {calibration['switched_off']} Choose another "
            "features.scorer.model."
        )
    if bare := [name for name, count in accepted.items() if count["accepted"] == 0]:
        warnings.append(
            f"No synthetic image of {', '.join(bare)} was accepted; these classes were trained on real images alone."
        )
    if torn := ingestion_report["near_duplicates_across_splits"]["groups"]:
        warnings.append(
            f"{torn:,} groups of look-alike real images lie in more than one split of the dataset; "
            "test figures may be too good. They are listed under Dataset."
        )
    return warnings + describe_changed_attempts(run_record)


def find_detection_warnings(
    class_names: list[str],
    preset: GeneratorPreset,
    labelling: LabellingOptions,
    calibration: dict[str, Any],
    ingestion_report: dict[str, Any],
    run_record: dict[str, Any],
) -> list[str]:
    """The same for detectors, whose generator is not always asked for the dataset's classes."""
    asked_for = [] if labelling.strategy in OBJECTS_STAY_REAL else class_names
    return find_warnings(asked_for, preset, calibration, calibration["per_class"], ingestion_report, run_record)


def find_notes(preset: GeneratorPreset, synthesis: SynthesisOptions) -> list[str]:
    """Where the synthetic images come from, and under which terms."""
    generator = f"Generator {synthesis.generator} ({preset.model}), {synthesis.mode}"
    return [f"{generator}; {_describe_terms(preset)}.", *_describe_stand_ins(preset)]


def find_detection_notes(
    preset: GeneratorPreset,
    synthesis: SynthesisOptions,
    labelling: LabellingOptions,
    weights: str | None,
) -> list[str]:
    """Where the synthetic scenes come from, which `weights` training starts from, and under which terms."""
    strategy = labelling.strategy
    return [
        f"Label strategy {strategy}: {STRATEGY_DESCRIPTIONS[strategy]}. Generator {synthesis.generator} "
        f"({preset.model}); {_describe_terms(preset)}.",
        *_describe_stand_ins(preset),
        _describe_start(weights),
        "The detectors are YOLO models of Ultralytics, whose licence is AGPL-3.0. Ultralytics takes it to cover "
        "weights trained with it: whoever passes them on or offers them over a network has to publish what is built "
        "with them under the same licence, or to buy another one.",
    ]


def _describe_terms(preset: GeneratorPreset) -> str:
    adapters = ", ".join(f"{adapter.model} at scale {adapter.scale:g}" for adapter in preset.adapters)
    return f"{preset.terms}; adapters, under licences of their own: {adapters}" if adapters else preset.terms


def _describe_stand_ins(preset: GeneratorPreset) -> list[str]:
    if embedded_folder(preset.model) is None:
        return []
    return [
        "The embedded generator and scorer were trained on tens of thousands of labelled pictures of the same kind, "
        "which stand in for web-scale pretraining. This demonstrates that the machinery works; it is no evidence about "
        "other data."
    ]


def _describe_start(weights: str | None) -> str:
    if weights is None:
        return (
            "All arms were trained from scratch. Expect a lift to be larger than for detectors that start from COCO "
            "weights, as is usual."
        )
    if embedded_folder(weights) is not None:
        return (
            "All arms start from the embedded stand-in detector, which learnt to find objects, of one class, on scenes "
            "of other garments; it stands in for COCO weights."
        )
    return f"All arms start from {weights}."
