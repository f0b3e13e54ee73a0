"""Whole training pictures redrawn so gently that their boxes still fit; the filter checks box by box."""

from functools import partial
from typing import Any

import pandas as pd

from diffaug_pipeline.imaging.frames import frame_of, place_back
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.labelling.picture_rows import boxes_in_frame, picture_row, scene_prompt, sizes_of
from diffaug_pipeline.labelling.sourced_scenes import sourced_scene_rows
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import contents_of, take_sources

MODE = "image_to_image"
NAME = "image_to_image"


def plan_rows(request: PlanRequest) -> list[dict[str, Any]]:
    """`labelling.images` pictures of the training images in turn; prompts name the classes an image shows."""
    sizes, rows = sizes_of(request.train), []
    draws = take_sources(contents_of(request.train), request.labelling.images, request.synthesis.seed, NAME)
    for number, draw in enumerate(draws):
        source = draw.source
        boxes, fitted = request.train.boxes_of(source), frame_of(sizes[source], request.size_px, request.synthesis.fit)
        rows.append(
            picture_row(request, NAME, number, draw)
            | {
                "boxes": boxes_in_frame(boxes, fitted),
                "source_image_id": source,
                "prompt": scene_prompt(request, sorted(set(boxes.counted().labels)), draw),
            }
        )
    return rows


def label_images(generated: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """The redrawn pictures in the frames of the real ones, with their boxes."""
    return PlannedImageSet(
        sourced_scene_rows(generated, real_images, NAME, {}, ["fit"]),
        partial(_make_scenes, generated=generated, real_images=real_images),
        batch_size=options.batch_size,
        making_columns=("fit",),
        description="fitting scenes",
    )


def _make_scenes(rows: pd.DataFrame, generated: ImageSet, real_images: ImageSet) -> list[EncodedImage]:
    scenes = []
    for image_id, source, fit in zip(rows["image_id"], rows["source_image_id"], rows["fit"], strict=True):
        scene = place_back(real_images.read(source), generated.read(image_id), fit)
        scenes.append(EncodedImage(encode_png(scene), ".png"))
    return scenes
