"""What a reader must know before believing a report."""

from typing import Any

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.run_environment import describe_changed_attempts
from diffaug_pipeline.synthesis.known_classes import describe_unknown, unknown_classes
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def find_warnings(
    class_names: list[str],
    preset: GeneratorPreset,
    calibration: dict[str, Any],
    ingestion_report: dict[str, Any],
    run_record: dict[str, Any],
) -> list[str]:
    """What makes the result mean less than it seems to."""
    warnings = []
    if unknown := unknown_classes(preset.model, class_names):
        warnings.append(
            f"{describe_unknown(preset.model, unknown)} The synthetic images cannot show these classes by themselves. "
            "For a real answer choose a generator that knows them: synthesis.generator: sd15, sd21 or sdxl."
        )
    if calibration["switched_off"] is not None:
        warnings.append(f"The filter was off. {calibration['switched_off']} Choose another filtering.clip_model.")
    if bare := [name for name, count in calibration["accepted"].items() if count["accepted"] == 0]:
        warnings.append(
            f"No synthetic image of {', '.join(bare)} was accepted; these classes were trained on real images alone."
        )
    if torn := ingestion_report["near_duplicates_across_splits"]["groups"]:
        warnings.append(
            f"{torn:,} groups of look-alike real images lie in more than one split of the dataset; "
            "test figures may be too good. They are listed under Dataset."
        )
    return warnings + describe_changed_attempts(run_record)


def find_notes(preset: GeneratorPreset, synthesis: SynthesisOptions) -> list[str]:
    """Where the synthetic images come from, and under which terms."""
    use = "commercial use allowed" if preset.commercial_use else "no commercial use"
    notes = [f"Generator {synthesis.generator} ({preset.model}), {synthesis.mode}; licence: {preset.licence}, {use}."]
    if embedded_folder(preset.model) is not None:
        notes.append(
            "The embedded generator and scorer were trained on tens of thousands of labelled pictures of the same "
            "kind, which stand in for web-scale pretraining. This demonstrates that the machinery works; it is no "
            "evidence about other data."
        )
    return notes
