"""Which images of a run a person's decisions are about.

A decision holds for the picture that the person saw, and so for its recipe: another run may have drawn another one
under the same id.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from diffaug_pipeline.filtering.decisions import BY_HAND, KEEP, REJECT
from diffaug_pipeline.filtering.overrides import Overrides

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecidedByHand:
    """Decisions on single images, matched with those that a run has."""

    verdicts: Mapping[str, str]
    """By image id, `keep` or `reject`; those that hold."""
    without_image: Collection[str]
    """Ids under which the run has no image, or one of another recipe."""
    held_out_copies: Collection[str]
    """Ids of images that were to be kept, but copy a validation or test image."""

    def attach(self, judged: pd.DataFrame) -> pd.DataFrame:
        """`judged` with the column `by_hand`."""
        return judged.assign(**{BY_HAND: judged["image_id"].map(dict(self.verdicts)).astype("str")})

    def warn(self) -> None:
        """Says which decisions do not hold."""
        if count := len(self.without_image):
            logger.warning(
                "%d decisions by hand are about images that this run does not have, or has drawn anew, and are left "
                "out: %s.",
                count,
                _some(self.without_image),
            )
        if self.held_out_copies:
            logger.warning(
                "Copies of validation or test images are never accepted, whatever the overrides say: %s.",
                _some(self.held_out_copies),
            )


NOTHING_BY_HAND = DecidedByHand({}, (), ())


def match_by_hand(index: pd.DataFrame, copies: pd.DataFrame, overrides: Overrides) -> DecidedByHand:
    """What `overrides` decide about the images of `index`, of which `copies` says what the audit found."""
    recipes = dict(zip(index["image_id"], index["recipe"], strict=True))
    asked = {image_id: (recipe, KEEP) for image_id, recipe in overrides.keep.items()}
    asked |= {image_id: (recipe, REJECT) for image_id, recipe in overrides.reject.items()}
    fitting = {image_id: verdict for image_id, (recipe, verdict) in asked.items() if recipes.get(image_id) == recipe}
    copied = set(copies.loc[copies["is_held_out_copy"], "image_id"])
    leaking = [image_id for image_id, verdict in fitting.items() if verdict == KEEP and image_id in copied]
    return DecidedByHand(
        verdicts={image_id: verdict for image_id, verdict in fitting.items() if image_id not in leaking},
        without_image=[image_id for image_id in asked if image_id not in fitting],
        held_out_copies=leaking,
    )


def _some(image_ids: Collection[str], most: int = 5) -> str:
    shown = list(image_ids)[:most]
    return ", ".join(shown) + (f" and {len(image_ids) - most} more" if len(image_ids) > most else "")
