"""Nodes of the scheduler study."""

from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.nouns import Document, Figure, ImageSet, Picture, Table
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def plan_cells(
    real_images: ImageSet,
    study: SchedulerStudyOptions,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
    vocabularies: Vocabularies,
) -> Table:
    """One row per image to make: the same prompts and seeds in each cell."""
    from diffaug_pipeline.scheduler_study import plan

    return plan.plan_cells(real_images, study, prompts, synthesis, generators.choose(synthesis.generator), vocabularies)


def time_cells(
    synthesis_plan: Table,
    real_images: ImageSet,
    study: SchedulerStudyOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
) -> Table:
    """Calls of the denoiser, counted, and seconds."""
    from diffaug_pipeline.scheduler_study import timing

    return timing.time_cells(
        synthesis_plan, real_images, synthesis, generators.choose(synthesis.generator), study.timed_images
    )


def score_images(
    synthetic_images: ImageSet,
    real_images: ImageSet,
    study: SchedulerStudyOptions,
    judging: ScorerOptions,
    synthesis: SynthesisOptions,
) -> tuple[Table, Table]:
    """Scores of each image, kernel distance of each cell."""
    from diffaug_pipeline.scheduler_study import scores

    return scores.score_images(synthetic_images, real_images, study, judging, synthesis.seed)


def summarize_cells(scores: Table, kernel_distances: Table, study: SchedulerStudyOptions) -> Table:
    """One row per cell."""
    from diffaug_pipeline.scheduler_study import summary

    return summary.summarize_cells(scores, kernel_distances, study)


def draw_cells(
    synthetic_images: ImageSet, summary: Table, timings: Table, study: SchedulerStudyOptions
) -> tuple[Picture, Figure]:
    """The pictures, and quality against model evaluations."""
    from diffaug_pipeline.scheduler_study import contact_sheet, figure

    return contact_sheet.draw_contact_sheet(synthetic_images, study), figure.draw_quality(summary, timings)


def render_study(  # noqa: PLR0913
    synthesis_plan: Table,
    scores: Table,
    kernel_distances: Table,
    summary: Table,
    timings: Table,
    contact_sheet: Picture,
    quality_figure: Figure,
    run_record: Document,
    study: SchedulerStudyOptions,
    judging: ScorerOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
) -> str:
    """The page."""
    from diffaug_pipeline.evaluation.caveats import find_notes
    from diffaug_pipeline.scheduler_study import report

    preset = generators.choose(synthesis.generator)
    notes = find_notes(preset, synthesis) + report.find_study_notes(summary, timings, study, judging, preset)
    return report.render_study(
        report.StudyContent(
            plan=synthesis_plan,
            scores=scores,
            kernel_distances=kernel_distances,
            summary=summary,
            timings=timings,
            quality_figure=quality_figure,
            contact_sheet=contact_sheet,
            study=study,
            judging=judging,
            synthesis=synthesis,
            notes=notes,
            run_record=run_record,
        )
    )
