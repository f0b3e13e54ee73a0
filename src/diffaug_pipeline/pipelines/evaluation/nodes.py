"""Nodes of evaluation."""

from diffaug_pipeline.evaluation.options import EvaluationOptions
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.nouns import Document, Figure, ImageSet, Table
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def predict_zero_shot(real_images: ImageSet, options: FilteringOptions) -> Table:
    """What the filter's CLIP itself says about the real test images; empty where it was never taught the classes."""
    from diffaug_pipeline.filtering import zero_shot

    return zero_shot.predict(real_images, options)


def summarize_arms(options: EvaluationOptions, **predictions: Table) -> Document:
    """Metrics of each arm."""
    from diffaug_pipeline.evaluation.classification_metrics import summarize_predictions

    return {arm: summarize_predictions(table, options.calibration_bins) for arm, table in predictions.items()}


def compare_arms(zero_shot_predictions: Table, options: EvaluationOptions, **predictions: Table) -> Document:
    """The verdict and the intervals it rests on."""
    from diffaug_pipeline.evaluation import comparison

    return comparison.compare_arms(predictions, zero_shot_predictions, options)


def draw_figures(comparison: Document, **histories: Table) -> tuple[Figure, Figure, Figure]:
    """Arms, classes, learning curves."""
    from diffaug_pipeline.evaluation import figures

    return (
        figures.draw_arms(comparison),
        figures.draw_per_class(comparison),
        figures.draw_learning_curves(histories),
    )


def render_report(  # noqa: PLR0913
    comparison: Document,
    metrics: Document,
    arms_figure: Figure,
    per_class_figure: Figure,
    learning_curves_figure: Figure,
    real_images: ImageSet,
    synthetic_images: ImageSet,
    filter_decisions: Table,
    filter_calibration: Document,
    ingestion_report: Document,
    run_record: Document,
    options: EvaluationOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
) -> str:
    """The report as one HTML page."""
    from diffaug_pipeline.evaluation import caveats, report

    preset = generators.choose(synthesis.generator)
    return report.render_report(
        report.ReportContent(
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
            ingestion_report=ingestion_report,
            run_record=run_record,
            warnings=caveats.find_warnings(
                real_images.class_names, preset, filter_calibration, ingestion_report, run_record
            ),
            notes=caveats.find_notes(preset, synthesis),
            gallery_images=options.gallery_images,
        )
    )
