"""Sources in rows, strengths in columns."""

import pandas as pd
from PIL import Image

from diffaug_pipeline.imaging.image_grid import draw_grid
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.strength_study.measures import SeenSources


def draw_strengths(
    synthetic_images: ImageSet, real_images: ImageSet, summary: pd.DataFrame, sources_shown: int
) -> Image.Image:
    """The source as the generator saw it, then its first sample at each strength; sources of all classes in turn."""
    seen, index = SeenSources.of(synthetic_images, real_images), synthetic_images.index
    sources = index.drop_duplicates("source_image_id")
    turn = sources.groupby("label").cumcount()
    shown = sources.assign(turn=turn).sort_values(["turn", "label"]).head(sources_shown)
    first = index.drop_duplicates(["source_image_id", "strength"]).set_index(["source_image_id", "strength"])[
        "image_id"
    ]
    strengths = summary["strength"].tolist()
    cells = [
        [seen.read(source), *(synthetic_images.read(first[source, strength]) for strength in strengths)]
        for source in shown["source_image_id"]
    ]
    steps = [f"{count} step{'s' * (count != 1)}" for count in summary["model_evaluations"]]
    return draw_grid(
        cells,
        row_titles=shown["label"].tolist(),
        column_titles=["source", *(f"{strength:g}\n{count}" for strength, count in zip(strengths, steps, strict=True))],
        caption="Left the real image, then what image-to-image makes of it, by strength; prompt and seed are the same "
        "along a row.",
    )
