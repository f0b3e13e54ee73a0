"""What the strategies' plan rows of pictures to generate have in common."""

from collections.abc import Sequence
from typing import Any

from diffaug_pipeline.imaging.boxes import Boxes, clip
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import Fitted
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import Draw, take_in_turn
from diffaug_pipeline.seeding import derive_seed

SMALLEST_BOX_PX = 2


def picture_row(request: PlanRequest, strategy: str, number: int, draw: Draw) -> dict[str, Any]:
    """`image_id`, `seed` and, for pictures made from others, `strength` of the `number`-th picture."""
    synthesis, strength = request.synthesis, None
    if synthesis.mode != "text_to_image":
        strength = take_in_turn(synthesis.strengths, draw.turn, synthesis.seed, draw.of, "strength")
    return {
        "image_id": f"synthetic:{strategy}/{number:06d}",
        "seed": derive_seed(synthesis.seed, "synthesis", draw.of, draw.turn),
        "strength": strength,
    }


def sizes_of(images: ImageSet) -> dict[str, tuple[int, int]]:
    """Width and height by `image_id`, in index order."""
    columns = (images.index[column].tolist() for column in ("image_id", "width_px", "height_px"))
    return {image_id: (width, height) for image_id, width, height in zip(*columns, strict=True)}


def boxes_in_frame(boxes: Boxes, fitted: Fitted) -> list[dict[str, Any]]:
    """Records of the boxes where they lie in the generator's frame; without those it cuts to less than 2 pixels."""
    placed = clip(fitted.place(boxes.xyxy), fitted.image.size)
    seen = (placed[:, 2:] - placed[:, :2] >= SMALLEST_BOX_PX).all(1)
    return boxes.placed_at(placed).where(seen).records()


def scene_prompt(request: PlanRequest, class_names: Sequence[str], draw: Draw) -> str:
    """A sentence about the first class that goes on to name the others; empty for no class at all."""
    if not class_names:
        return ""
    first, *others = class_names
    choices, seed = request.sentences(first), request.synthesis.seed
    sentence = take_in_turn(choices, draw.turn, seed, draw.of, f"prompt of {first}")
    return " and ".join([sentence, *map(with_article, others)])


def with_article(name: str) -> str:
    """The name after "a" or "an".

    >>> with_article("ankle boot")
    'an ankle boot'
    """
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
