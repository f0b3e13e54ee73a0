"""Nodes of the strength study."""

from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.nouns import Document, Figure, ImageSet, Picture, Table
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.strength_study.options import StrengthStudyOptions
from diffaug_pipeline.synthesis.options import Generators, SynthesisOptions


def plan_strengths(
    real_images: ImageSet,
    study: StrengthStudyOptions,
    judging: ScorerOptions,
    prompts: PromptOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
    vocabularies: Vocabularies,
) -> Table:
    """One row per image to make: sources times strengths times samples."""
    from diffaug_pipeline.strength_study import plan

    preset = generators.choose(synthesis.generator)
    return plan.plan_strengths(real_images, study, judging, prompts, synthesis, preset, vocabularies)


def measure_images(synthetic_images: ImageSet, real_images: ImageSet, judging: ScorerOptions) -> Table:
    """Class, similarity to the source and distance to siblings of every picture, sources included."""
    from diffaug_pipeline.strength_study import measures

    return measures.measure_images(synthetic_images, real_images, judging)


def summarize_strengths(
    measures: Table, synthetic_images: ImageSet, study: StrengthStudyOptions, ingestion: IngestionOptions
) -> tuple[Table, Document]:
    """Means and intervals by strength, and which strengths to use."""
    from diffaug_pipeline.strength_study import summary
    from diffaug_pipeline.strength_study.recommendation import recommend

    table = summary.summarize_strengths(
        measures, synthetic_images.index, ingestion.near_duplicate_distance, study.confidence
    )
    return table, recommend(table, study).document()


def draw_strengths(
    summary: Table,
    recommendation: Document,
    measures: Table,
    synthetic_images: ImageSet,
    real_images: ImageSet,
    study: StrengthStudyOptions,
) -> tuple[Figure, Picture]:
    """The measures over strength, and the pictures."""
    from diffaug_pipeline.strength_study import contact_sheet, figure
    from diffaug_pipeline.strength_study.recommendation import Recommendation
    from diffaug_pipeline.strength_study.summary import Sources

    sources = Sources.of(measures, study.confidence)
    return (
        figure.draw_measures(summary, sources, Recommendation(**recommendation)),
        contact_sheet.draw_strengths(synthetic_images, real_images, summary, study.sources_shown),
    )


def render_strengths(  # noqa: PLR0913
    summary: Table,
    recommendation: Document,
    measures: Table,
    strength_figure: Figure,
    contact_sheet: Picture,
    run_record: Document,
    study: StrengthStudyOptions,
    ingestion: IngestionOptions,
    synthesis: SynthesisOptions,
    generators: Generators,
) -> str:
    """The page."""
    from diffaug_pipeline.evaluation.caveats import find_notes
    from diffaug_pipeline.strength_study.page import StrengthContent, render_page
    from diffaug_pipeline.strength_study.recommendation import Recommendation
    from diffaug_pipeline.strength_study.summary import Sources

    return render_page(
        StrengthContent(
            summary=summary,
            sources=Sources.of(measures, study.confidence),
            recommendation=Recommendation(**recommendation),
            options=study,
            near_duplicate_distance=ingestion.near_duplicate_distance,
            figure=strength_figure,
            contact_sheet=contact_sheet,
            notes=find_notes(generators.choose(synthesis.generator), synthesis),
            dataset=ingestion.dataset,
            run_record=run_record,
        )
    )
