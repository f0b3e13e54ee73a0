"""One object of a real picture is drawn anew inside its box."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.boxes import Boxes, areas, extent, intersections
from diffaug_pipeline.imaging.frames import covered_part, frame_of, lay_over
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.blending import blend, touched_pixels, weights_within
from diffaug_pipeline.labelling.options import LabellingOptions, ObjectInpaintingOptions
from diffaug_pipeline.labelling.picture_rows import picture_row, sizes_of
from diffaug_pipeline.labelling.sourced_scenes import sourced_scene_rows
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import contents_of, take_in_turn, take_sources

MODE = "inpainting"
NAME = "object_inpainting"
SMALLEST_SIDE_PX = 8
"""A smaller object gives too few pixels to tell what was drawn."""
MOST_COVERED = 0.5
"""An object whose box covers more of another box than this is left alone: its redrawing would hide the other."""


def plan_rows(request: PlanRequest) -> list[dict[str, Any]]:
    """`labelling.images` pictures, each of one object with its surroundings, the objects in turn.

    Raises `ParameterError` if no object can be redrawn.
    """
    sizes, seed = sizes_of(request.train), request.synthesis.seed
    objects = {
        (image_id, number): f"{content}#{number}"
        for image_id, content in contents_of(request.train).items()
        for number in _redrawable(request, image_id, sizes[image_id])
    }
    if not objects:
        raise ParameterError(
            f"none of the objects in {len(sizes)} training images can be drawn anew: each is smaller than "
            f"{SMALLEST_SIDE_PX} px, covers another one or does not fit into the generator's frame; choose "
            "synthesis.fit: contain, or another labelling.strategy."
        )
    rows = []
    for number, draw in enumerate(take_sources(objects, request.labelling.images, seed, NAME)):
        source, object_number = draw.source
        boxes = request.train.boxes_of(source)
        label, xyxy = str(boxes.labels[object_number]), boxes.xyxy[object_number]
        region = region_around(xyxy, request.labelling.object_inpainting.context, sizes[source], request.size_px)
        fitted = frame_of(_size(region), request.size_px, request.synthesis.fit)
        rows.append(
            picture_row(request, NAME, number, draw)
            | {
                "label": label,
                "source_image_id": source,
                "object_number": object_number,
                "prompt": take_in_turn(request.sentences(label), draw.turn, seed, draw.of, f"prompt of {label}"),
                "region_xyxy": region,
                "mask_xyxy": fitted.place(_moved(xyxy, region)[None]).tolist(),
                "mask_kind": "redraw",
            }
        )
    return rows


def region_around(xyxy: np.ndarray, context: float, size_px: tuple[int, int], shown_px: tuple[int, int]) -> list[int]:
    """Left, top, right, bottom, in whole pixels, of what the generator sees of one object.

    The box with `context` of its width and height on each side, widened to the shape of `shown_px`; moved and, where
    the picture is too small, cut to lie inside the picture.

    >>> region_around(np.array([0, 20, 10, 40]), 0.5, (100, 50), (32, 32))
    [0, 10, 40, 50]
    """
    left, top, right, bottom = touched_pixels(xyxy[None], size_px)[0]
    wanted = np.array([right - left, bottom - top]) * (1 + 2 * context)
    lengths = np.ceil((wanted / shown_px).max() * np.array(shown_px) - 1e-6).clip(max=size_px)
    start = np.floor((np.array([left + right, top + bottom]) - lengths) / 2).clip(0, size_px - lengths)
    return np.concatenate([start, start + lengths]).astype(int).tolist()


def label_images(generated: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """The real pictures with the new object in its place; boxes, the object's perhaps tightened, inside the files."""
    columns = ("fit", "region_xyxy", "object_number")
    determining = options.object_inpainting.model_dump(exclude={"context"})
    return PlannedImageSet(
        sourced_scene_rows(generated, real_images, NAME, determining, columns).drop(columns="boxes"),
        partial(_make_scenes, generated=generated, real_images=real_images, options=options.object_inpainting),
        batch_size=options.batch_size,
        making_columns=columns,
        description="putting objects in",
    )


def _make_scenes(
    rows: pd.DataFrame, generated: ImageSet, real_images: ImageSet, options: ObjectInpaintingOptions
) -> list[EncodedImage]:
    scenes = []
    for row in rows.to_dict("records"):
        real, picture = real_images.read(row["source_image_id"]), generated.read(row["image_id"])
        boxes, region = real_images.boxes_of(row["source_image_id"]), tuple(row["region_xyxy"])
        shown = real.crop(region)
        redrawn = lay_over(shown, picture, frame_of(shown.size, picture.size, row["fit"]))
        xyxy = _moved(boxes.xyxy[row["object_number"]], region)
        inside = weights_within(xyxy, shown.size, options.feather_px)
        real.paste(blend(redrawn, shown, inside), region)
        tight = tightened(xyxy, shown, redrawn, options) + np.tile(region[:2], 2)
        placed = boxes.xyxy.copy()
        placed[row["object_number"]] = tight
        scenes.append(EncodedImage(encode_png(real, boxes.placed_at(placed)), ".png"))
    return scenes


def tightened(
    xyxy: np.ndarray, before: Image.Image, after: Image.Image, options: ObjectInpaintingOptions
) -> np.ndarray:
    """The (4,) box reduced to the extent of the pixels in it that changed, or as it was if too few did."""
    left, top, right, bottom = touched_pixels(xyxy[None], before.size)[0].tolist()
    old, new = (np.asarray(image.crop((left, top, right, bottom)), np.float32) / 255 for image in (before, after))
    changed = np.abs(new - old).mean(2) >= options.change_threshold
    found = extent(changed)
    if found is None or changed.mean() < options.min_changed:
        return xyxy
    extremes = np.array(found) + np.tile([left, top], 2)
    return np.concatenate([np.maximum(extremes[:2], xyxy[:2]), np.minimum(extremes[2:], xyxy[2:])])


def _redrawable(request: PlanRequest, image_id: str, size_px: tuple[int, int]) -> list[int]:
    """Positions of the boxes of one image that can be redrawn."""
    boxes = request.train.boxes_of(image_id)
    large = (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2] >= SMALLEST_SIDE_PX).all(1)
    return [
        int(number)
        for number in np.flatnonzero(large & ~boxes.ignored)
        if not _hides_others(boxes, number) and _is_shown_whole(request, boxes.xyxy[number], size_px)
    ]


def _hides_others(boxes: Boxes, number: int) -> bool:
    covered = intersections(boxes.xyxy[[number]], boxes.xyxy)[0] > MOST_COVERED * areas(boxes.xyxy)
    return bool(np.delete(covered, number).any())


def _is_shown_whole(request: PlanRequest, xyxy: np.ndarray, size_px: tuple[int, int]) -> bool:
    region = region_around(xyxy, request.labelling.object_inpainting.context, size_px, request.size_px)
    left, top, right, bottom = covered_part(frame_of(_size(region), request.size_px, request.synthesis.fit))
    touched = touched_pixels(_moved(xyxy, region)[None], _size(region))[0]
    return bool((touched[:2] >= (left, top)).all() and (touched[2:] <= (right, bottom)).all())


def _size(region: list[int]) -> tuple[int, int]:
    return region[2] - region[0], region[3] - region[1]


def _moved(xyxy: np.ndarray, region: tuple[int, ...] | list[int]) -> np.ndarray:
    """The box in the frame of the region."""
    return xyxy - np.tile(region[:2], 2)
