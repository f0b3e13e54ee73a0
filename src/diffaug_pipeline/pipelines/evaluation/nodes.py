"""Nodes of evaluation."""

from typing import Any

from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions, EvaluationOptions
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.nouns import Document, Features, Figure, ImageSet, Picture, Table
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def predict_zero_shot(real_images: ImageSet, image_features: Features) -> Table:
    """What the filter's CLIP itself says about the real test images; empty where it was never taught the classes."""
    from diffaug_pipeline.filtering import zero_shot

    return zero_shot.predict(real_images, image_features)


def summarize_classifiers(options: EvaluationOptions, **predictions: Table) -> Document:
    """Metrics of each arm."""
    from diffaug_pipeline.evaluation.classification_metrics import summarize_predictions

    return {arm: summarize_predictions(table, options.calibration_bins) for arm, table in predictions.items()}


def summarize_detectors(real_images: ImageSet, **predictions: Table) -> Document:
    """Metrics of each arm."""
    from diffaug_pipeline.evaluation.detection_metrics import summarize_detections

    return {arm: summarize_detections(table, real_images) for arm, table in predictions.items()}


def compare_classifiers(zero_shot_predictions: Table, options: EvaluationOptions, **predictions: Table) -> Document:
    """The verdict and the intervals it rests on."""
    from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
    from diffaug_pipeline.evaluation.comparison import compare_arms

    outcomes = {arm: ClassificationOutcomes.of(table) for arm, table in predictions.items()}
    zero_shot = None if zero_shot_predictions.empty else ClassificationOutcomes.of(zero_shot_predictions)
    return compare_arms(outcomes, options, zero_shot)


def compare_detectors(real_images: ImageSet, options: DetectionEvaluationOptions, **predictions: Table) -> Document:
    """The verdict and the intervals it rests on."""
    from diffaug_pipeline.evaluation.comparison import compare_arms
    from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes

    return compare_arms({arm: DetectionOutcomes.of(table, real_images) for arm, table in predictions.items()}, options)


def draw_figures(comparison: Document, **histories: Table) -> tuple[Figure, Figure, Figure]:
    """Arms, classes, learning curves."""
    from diffaug_pipeline.evaluation import figures

    return (
        figures.draw_arms(comparison),
        figures.draw_per_class(comparison),
        figures.draw_learning_curves(histories),
    )


def render_classification_report(  # noqa: PLR0913
    comparison: Document,
    metrics: Document,
    arms_figure: Figure,
    per_class_figure: Figure,
    learning_curves_figure: Figure,
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: Table,
    filter_calibration: Document,
    copies: Table,
    copy_calibration: Document,
    measures_summary: Document,
    dose_response: Document | None,
    robustness: Document | None,
    corruption_sheet: Picture | None,
    ingestion_report: Document,
    run_record: Document,
    options: EvaluationOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
) -> str:
    """The report as one HTML page."""
    from diffaug_pipeline.evaluation import audit, caveats, classification_report
    from diffaug_pipeline.evaluation.report import ReportContent

    preset, accepted = generators.choose(synthesis.generator), filter_calibration["accepted"]
    return classification_report.render_classification_report(
        ReportContent(
            comparison=comparison,
            metrics=metrics,
            figures={
                "arms": arms_figure,
                "per_class": per_class_figure,
                "learning_curves": learning_curves_figure,
            },
            real_images=real_images,
            synthetic_images=synthetic_images,
            decisions=filter_decisions,
            calibration=filter_calibration,
            copies=copies,
            audit=audit.describe_audit(copies, copy_calibration, filter_decisions),
            sections=_sections(measures_summary, dose_response, robustness, corruption_sheet),
            ingestion_report=ingestion_report,
            run_record=run_record,
            warnings=caveats.find_warnings(
                real_images.class_names, preset, filter_calibration, accepted, ingestion_report, run_record
            ),
            notes=caveats.find_notes(preset, synthesis),
            gallery_images=options.gallery_images,
        )
    )


def render_detection_report(  # noqa: PLR0913
    comparison: Document,
    metrics: Document,
    arms_figure: Figure,
    per_class_figure: Figure,
    learning_curves_figure: Figure,
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: Table,
    filter_calibration: Document,
    copies: Table,
    copy_calibration: Document,
    measures_summary: Document,
    dose_response: Document | None,
    robustness: Document | None,
    corruption_sheet: Picture | None,
    ingestion_report: Document,
    run_record: Document,
    options: DetectionEvaluationOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
    labelling: LabellingOptions,
    training: DetectionTrainingOptions,
    real_only_predictions: Table,
    augmented_predictions: Table,
) -> str:
    """The report as one HTML page."""
    from diffaug_pipeline.evaluation import audit, caveats, detection_report

    preset = generators.choose(synthesis.generator)
    return detection_report.render_detection_report(
        detection_report.DetectionReportContent(
            comparison=comparison,
            metrics=metrics,
            figures={
                "arms": arms_figure,
                "per_class": per_class_figure,
                "learning_curves": learning_curves_figure,
            },
            real_images=real_images,
            synthetic_images=synthetic_images,
            decisions=filter_decisions,
            calibration=filter_calibration,
            copies=copies,
            audit=audit.describe_audit(copies, copy_calibration, filter_decisions),
            sections=_sections(measures_summary, dose_response, robustness, corruption_sheet),
            ingestion_report=ingestion_report,
            run_record=run_record,
            warnings=caveats.find_detection_warnings(
                real_images.class_names, preset, labelling, filter_calibration, ingestion_report, run_record
            ),
            notes=caveats.find_detection_notes(preset, synthesis, labelling, training.weights),
            gallery_images=options.gallery_images,
            predictions={"real_only": real_only_predictions, "augmented": augmented_predictions},
        )
    )


def _sections(
    measures_summary: Document, dose: Document | None, robust: Document | None, corruption_sheet: Picture | None
) -> list[Any]:
    """What stages and studies contribute to a report; studies that the run does not have contribute nothing."""
    from diffaug_pipeline.dose_response import section as dose_section
    from diffaug_pipeline.measures import section as measures_section
    from diffaug_pipeline.robustness import section as robustness_section

    sections = [measures_section.describe(measures_summary)]
    if dose is not None:
        sections.append(dose_section.describe(dose))
    if robust is not None:
        sections.append(robustness_section.describe(robust, corruption_sheet))
    return sections
