"""Objects pasted onto real training images, which keep their own objects (Ghiasi et al. 2021, section 3).

Generated objects make the `augmented` arm's scenes; real ones, cut out of other training images, the control's that
tells how much of a lift compositing alone explains. Sizes, places and colors are those of real boxes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.boxes import Boxes, areas
from diffaug_pipeline.imaging.compositing import VISIBLE_ALPHA, Canvas, Cutout
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.matting import choose_matting, cut_whole_box, cut_with_grab_cut, matting_revision
from diffaug_pipeline.labelling.options import CompositionOptions, LabellingOptions
from diffaug_pipeline.labelling.scene_rows import scene_row
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import class_rows, recipe_hash, take_in_turn
from diffaug_pipeline.seeding import derive_seed

MODE = "text_to_image"
PLACES_TRIED = 30
REPLACEMENTS_TRIED = 20
PLACE_JITTER = 0.1
"""Standard deviation of a place around the center of a real box, as a share of the picture."""
SMALLEST_OBJECT_PX = 4
SMALLEST_CUT_PX = 8
"""Real objects smaller than this on a side are not cut out."""
CUTOUTS_KEPT = 200
COLOR_REGION = 0.5
"""Share of a real box, around its center, whose colors count as the object's."""


def plan_rows(request: PlanRequest) -> list[dict[str, Any]]:
    """Object pictures of each class, as many as asked for."""
    return [
        row
        for name, count in request.class_counts.items()
        for row in class_rows(name, count, request.sentences(name), {}, request.synthesis)
    ]


def label_images(generated: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """Generated objects on real backgrounds."""
    cut, labels = choose_matting(options), generated.index.set_index("image_id")["label"]
    revision = matting_revision(options)
    model = None if revision is None else options.composition.matting_model
    pool = ObjectPool(
        rows=generated.index.assign(labeller=model, labeller_revision=revision),
        contents=generated.index["sha256"].tolist(),
        cut=lambda image_id: cut(generated.read(image_id), labels[image_id]),
        matting=revision,
    )
    return compose(pool, real_images.where(split="train"), options, "composition")


def compose_real_cutouts(real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """Real training objects on other real training images: the control. Raises `ParameterError` if there are none."""
    train = real_images.where(split="train")
    objects = [
        {"image_id": f"{image_id}#{number}", "cut_from": image_id, "number": number}
        for image_id, boxes in zip(train.index["image_id"], train.boxes, strict=True)
        for number in np.flatnonzero(
            ~boxes.ignored & ((boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]).min(1) >= SMALLEST_CUT_PX)
        )
    ]
    if not objects:
        raise ParameterError(
            f"no object in {len(train)} training images measures {SMALLEST_CUT_PX} px on both sides, so none can be "
            "cut out for the control copy_paste; run the pipeline without it."
        )
    place = {row["image_id"]: (row["cut_from"], row["number"]) for row in objects}
    contents = train.index.set_index("image_id")["sha256"]

    def cut(object_id: str) -> Cutout:
        source, number = place[object_id]
        image, boxes = train.read(source), train.boxes_of(source)
        where = image, boxes.xyxy[number], str(boxes.labels[number])
        return cut_with_grab_cut(*where) or cut_whole_box(*where)

    pool = ObjectPool(
        rows=pd.DataFrame(objects),
        contents=[f"{contents[row['cut_from']]}#{row['number']}" for row in objects],
        cut=cut,
    )
    return compose(pool, train, options, "copy_paste")


@dataclass(frozen=True)
class ObjectPool:
    """Objects that can be pasted."""

    rows: pd.DataFrame
    """`image_id` of each object, and its provenance, or the image it was `cut_from` where it is real."""
    contents: list[str]
    """What determines each object's pixels."""
    cut: Callable[[str], Cutout | None]
    """Cuts out the object with this id; None where that fails."""
    matting: str | None = None
    """Names the weights that cut out, where a model does."""


def compose(pool: ObjectPool, train: ImageSet, options: LabellingOptions, strategy: str) -> PlannedImageSet:
    """`options.images` scenes; more of them leave the earlier ones as they are, another pool changes all.

    Objects go round the pool, so that each is pasted about equally often; none onto the image it was cut from.
    """
    backgrounds = train.index.set_index("image_id")
    statistics = BoxStatistics.of(train)
    shared = {
        "options": options.composition.model_dump(),
        "matting": pool.matting,
        "statistics": statistics.digest,
        "pool": recipe_hash({"pool": pool.contents}),
    }
    object_ids = pool.rows["image_id"].tolist()
    cut_from = pool.rows.get("cut_from", pd.Series(None, index=pool.rows.index, dtype=object)).tolist()
    turn = count()
    rows = []
    for number in range(options.images):
        seed = derive_seed(options.seed, strategy, number)
        source = take_in_turn(train.index["image_id"].tolist(), number, options.seed, strategy, "background")
        usable = (
            position
            for position in (
                take_in_turn(range(len(object_ids)), k, options.seed, strategy, "object")
                for k in islice(turn, len(object_ids))
            )
            if cut_from[position] != source
        )
        chosen = list(islice(usable, _objects_wanted(options.composition, seed)))
        determining = shared | {
            "seed": seed,
            "background": backgrounds.at[source, "sha256"],
            "boxes": train.boxes_of(source).records(),
            "objects": [pool.contents[k] for k in chosen],
        }
        provenance = pool.rows.iloc[chosen[0]].to_dict() if chosen else {}
        row = scene_row(f"synthetic:{strategy}/{number:06d}", strategy, source, provenance, determining)
        rows.append(row | {"seed": seed, "object_ids": [object_ids[k] for k in chosen]})
    painter = ScenePainter(pool, train, statistics, options.composition)
    return PlannedImageSet(pd.DataFrame(rows), painter, batch_size=options.batch_size, description="composing scenes")


def _objects_wanted(options: CompositionOptions, seed: int) -> int:
    return int(np.random.default_rng(seed).integers(options.min_objects, options.max_objects + 1))


@dataclass(frozen=True)
class BoxStatistics:
    """Real boxes as examples of how large, where and of which color objects are."""

    image_ids: list[str]
    boxes: list[Boxes]
    positions: dict[str, np.ndarray]
    """By class: (M, 2) number of the image, number of the box."""
    sides: dict[str, np.ndarray]
    """By class: (M,) root of the box's area over the root of its image's."""
    centers: np.ndarray
    """(K, 2) x and y of all boxes, as shares of their images."""
    digest: str

    @classmethod
    def of(cls, train: ImageSet) -> "BoxStatistics":
        """Of all boxes that count."""
        sizes = train.index[["width_px", "height_px"]].to_numpy(float)
        positions: dict[str, list[tuple[int, int]]] = {name: [] for name in train.class_names}
        sides: dict[str, list[float]] = {name: [] for name in train.class_names}
        centers = []
        for image, boxes in enumerate(train.boxes):
            relative = np.sqrt(areas(boxes.xyxy) / sizes[image].prod())
            middle = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2 / sizes[image]
            for number in np.flatnonzero(~boxes.ignored):
                positions[boxes.labels[number]].append((image, int(number)))
                sides[boxes.labels[number]].append(float(relative[number]))
                centers.append(middle[number].tolist())
        contents = [[sha256, boxes.records()] for sha256, boxes in zip(train.index["sha256"], train.boxes, strict=True)]
        return cls(
            image_ids=train.index["image_id"].tolist(),
            boxes=train.boxes,
            positions={name: np.array(found).reshape(-1, 2) for name, found in positions.items()},
            sides={name: np.array(found) for name, found in sides.items()},
            centers=np.array(centers).reshape(-1, 2),
            digest=recipe_hash({"train": contents}),
        )


class ScenePainter:
    """Makes the scenes of plan rows."""

    def __init__(self, pool: ObjectPool, train: ImageSet, statistics: BoxStatistics, options: CompositionOptions):
        self._train, self._statistics, self._options = train, statistics, options
        self._object_ids = pool.rows["image_id"].tolist()
        self._cut = lru_cache(maxsize=CUTOUTS_KEPT)(pool.cut)

    def __call__(self, rows: pd.DataFrame) -> list[EncodedImage]:
        """One PNG per row, its boxes inside; raises `ParameterError` if objects cannot be cut out."""
        return [
            self._paint(source, list(object_ids), int(seed))
            for source, object_ids, seed in zip(rows["source_image_id"], rows["object_ids"], rows["seed"], strict=True)
        ]

    def _paint(self, source: str, object_ids: list[str], seed: int) -> EncodedImage:
        rng = np.random.default_rng(derive_seed(seed, "places"))
        canvas = Canvas.of(self._train.read(source), self._train.boxes_of(source))
        for object_id in object_ids:
            self._paste(canvas, self._cut_or_replace(object_id, rng), rng)
        return EncodedImage(encode_png(Image.fromarray(canvas.pixels), canvas.boxes()), ".png")

    def _cut_or_replace(self, object_id: str, rng: np.random.Generator) -> Cutout:
        """The object, or, where it cannot be cut out, another one of the pool."""
        for candidate in (object_id, *rng.choice(self._object_ids, REPLACEMENTS_TRIED).tolist()):
            cutout = self._cut(candidate)
            if cutout is not None:
                return cutout
        raise ParameterError(
            f"{1 + REPLACEMENTS_TRIED} objects in a row could not be cut out, {object_id} first; look at the generated "
            f"images: labelling.composition.matting is {self._options.matting}; dark_ground needs objects on black, "
            "photographs need clip_segmentation or grab_cut."
        )

    def _paste(self, canvas: Canvas, cutout: Cutout, rng: np.random.Generator) -> None:
        height, width = canvas.pixels.shape[:2]
        example = int(rng.integers(len(self._statistics.sides[cutout.label])))
        if self._options.match_colors:
            cutout = self._colored_like(cutout, example)
        side = self._statistics.sides[cutout.label][example] * np.sqrt(width * height)
        scale = side / np.sqrt(np.prod(cutout.alpha.shape))
        size = tuple(max(SMALLEST_OBJECT_PX, round(length * scale)) for length in cutout.alpha.shape[::-1])
        placed = cutout.transformed(size, flip=rng.random() < 0.5).feathered(
            float(rng.choice(self._options.feather_px))
        )
        for attempt in range(2 * PLACES_TRIED):
            center = self._draw_center(rng, anywhere=attempt >= PLACES_TRIED) * [width, height]
            left, top = np.round(center - np.array(size) / 2).astype(int).tolist()
            if canvas.room_for(placed, left, top, self._options.min_visible):
                canvas.paste(placed, left, top)
                return

    def _draw_center(self, rng: np.random.Generator, anywhere: bool) -> np.ndarray:
        """(2,) x and y as shares of the picture: near that of a real object."""
        if anywhere:
            return rng.uniform(0, 1, 2)
        return self._statistics.centers[rng.integers(len(self._statistics.centers))] + rng.normal(0, PLACE_JITTER, 2)

    def _colored_like(self, cutout: Cutout, example: int) -> Cutout:
        """With mean and spread per channel of a real object's middle (Reinhard et al. 2001, in RGB)."""
        image, number = self._statistics.positions[cutout.label][example]
        xyxy = self._statistics.boxes[image].xyxy[number]
        center, reach = (xyxy[:2] + xyxy[2:]) / 2, COLOR_REGION * (xyxy[2:] - xyxy[:2]) / 2
        left, top = np.floor(center - reach).astype(int).tolist()
        right, bottom = np.ceil(center + reach).astype(int).tolist()
        middle = self._train.read(self._statistics.image_ids[image]).crop((left, top, right, bottom))
        wanted = np.asarray(middle, float).reshape(-1, 3)
        own = cutout.pixels[cutout.alpha >= VISIBLE_ALPHA].astype(float)
        spread = wanted.std(0) / own.std(0).clip(min=1)
        pixels = (cutout.pixels - own.mean(0)) * spread + wanted.mean(0)
        return Cutout(cutout.label, pixels.round().clip(0, 255).astype(np.uint8), cutout.alpha)
