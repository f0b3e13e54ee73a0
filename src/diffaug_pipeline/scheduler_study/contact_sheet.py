"""The same draws in every cell, side by side."""

import pandas as pd
from PIL import Image, ImageOps

from diffaug_pipeline.imaging.image_grid import draw_grid
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.scheduler_study.cells import LONG_RUN, long_run_cell, study_cells
from diffaug_pipeline.scheduler_study.options import SchedulerStudyOptions

PICTURE_PX = 64
SHOWN_BESIDE, SHOWN_BELOW = 2, 2
"""Draws in each cell of the sheet."""


def draw_contact_sheet(synthetic_images: ImageSet, study: SchedulerStudyOptions) -> Image.Image:
    """Rows: schedulers, with eta; columns: steps, and what they approximate."""
    shown = choose_draws(synthetic_images.where(cell=LONG_RUN).index)
    draws, steps = shown["draw"].tolist(), sorted(study.num_inference_steps)
    cells = [cell for cell in study_cells(study) if cell.num_inference_steps in steps]
    pictures = {(cell.sampler, cell.num_inference_steps): _mosaic(synthetic_images, cell.name, draws) for cell in cells}
    samplers = list(dict.fromkeys(cell.sampler for cell in cells))
    target, long_run = _mosaic(synthetic_images, LONG_RUN, draws), long_run_cell(study)
    return draw_grid(
        [[*(pictures.get((sampler, count)) for count in steps), target] for sampler in samplers],
        samplers,
        [
            *(f"{count} steps" for count in steps),
            f"{LONG_RUN}:\n{long_run.sampler}\n{long_run.num_inference_steps} steps",
        ],
        f"In every cell, from the same noise: {'; '.join(shown['prompt'])}.",
    )


def choose_draws(of_cell: pd.DataFrame) -> pd.DataFrame:
    """The rows to show: extra prompts, then classes, each label in turn."""
    turn = of_cell.groupby("label").cumcount()
    ordered = of_cell.assign(turn=turn).sort_values(["turn", "is_extra"], ascending=[True, False], kind="stable")
    return ordered.head(SHOWN_BESIDE * SHOWN_BELOW)


def _mosaic(images: ImageSet, cell: str, draws: list[str]) -> Image.Image:
    image_ids = images.where(cell=cell).index.set_index("draw")["image_id"]
    mosaic = Image.new("RGB", (SHOWN_BESIDE * PICTURE_PX, SHOWN_BELOW * PICTURE_PX), "white")
    for place, draw in enumerate(draws):
        row, column = divmod(place, SHOWN_BESIDE)
        picture = images.read(image_ids[draw])
        how = Image.Resampling.NEAREST if max(picture.size) <= PICTURE_PX else Image.Resampling.BICUBIC
        shown = ImageOps.contain(picture, (PICTURE_PX, PICTURE_PX), how)
        mosaic.paste(shown, (column * PICTURE_PX, row * PICTURE_PX))
    return mosaic
