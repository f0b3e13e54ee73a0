"""Everything but the objects is drawn anew; their own pixels are put back, so that the boxes stay exact."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.frames import frame_of, lay_over, uncovered_parts
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.blending import blend, weights_around
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.labelling.picture_rows import boxes_in_frame, picture_row, sizes_of
from diffaug_pipeline.labelling.sourced_scenes import sourced_scene_rows
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import contents_of, take_in_turn, take_sources

MODE = "inpainting"
NAME = "background_inpainting"


def plan_rows(request: PlanRequest) -> list[dict[str, Any]]:
    """`labelling.images` pictures, each a training image with other surroundings, the images in turn."""
    options, seed = request.labelling.background_inpainting, request.synthesis.seed
    sizes, rows = sizes_of(request.train), []
    for number, draw in enumerate(take_sources(contents_of(request.train), request.labelling.images, seed, NAME)):
        source = draw.source
        boxes, fitted = request.train.boxes_of(source), frame_of(sizes[source], request.size_px, request.synthesis.fit)
        rows.append(
            picture_row(request, NAME, number, draw)
            | {
                "boxes": boxes_in_frame(boxes, fitted),
                "source_image_id": source,
                "prompt": take_in_turn(options.prompts, draw.turn, seed, draw.of, "prompt"),
                "region_xyxy": [0, 0, *sizes[source]],
                "mask_xyxy": fitted.place(dilated(boxes.xyxy, options.margin)).tolist(),
                "mask_kind": "keep",
            }
        )
    return rows


def dilated(xyxy: np.ndarray, margin: float) -> np.ndarray:
    """The (N, 4) boxes grown on each side by `margin`, a share of their width or height.

    >>> dilated(np.array([[10, 10, 20, 30]]), 0.1).tolist()
    [[9.0, 8.0, 21.0, 32.0]]
    """
    grown = margin * (xyxy[:, 2:] - xyxy[:, :2])
    return xyxy + np.concatenate([-grown, grown], axis=1)


def label_images(generated: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """The real pictures, inside their boxes bit for bit, in their new surroundings."""
    feather = options.background_inpainting.feather_px
    return PlannedImageSet(
        sourced_scene_rows(generated, real_images, NAME, {"feather_px": feather}, ["fit"]),
        partial(_make_scenes, generated=generated, real_images=real_images, feather_px=feather),
        batch_size=options.batch_size,
        making_columns=("fit",),
        description="putting objects back",
    )


def _make_scenes(
    rows: pd.DataFrame, generated: ImageSet, real_images: ImageSet, feather_px: float
) -> list[EncodedImage]:
    scenes = []
    for image_id, source, fit in zip(rows["image_id"], rows["source_image_id"], rows["fit"], strict=True):
        real, picture = real_images.read(source), generated.read(image_id)
        fitted = frame_of(real.size, picture.size, fit)
        kept = np.concatenate([real_images.boxes_of(source).xyxy, uncovered_parts(fitted)])
        scene = blend(real, lay_over(real, picture, fitted), weights_around(kept, real.size, feather_px))
        scenes.append(EncodedImage(encode_png(scene), ".png"))
    return scenes
