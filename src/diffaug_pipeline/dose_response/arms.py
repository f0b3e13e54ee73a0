"""What is trained: real and synthetic images at every ratio, and real images alone, some or all of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from diffaug_pipeline.dose_response.options import DoseResponseOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging.training_sets import real_only, replaced
from diffaug_pipeline.seeding import derive_seed


@dataclass(frozen=True)
class Ingredients:
    """What a run has made before its training sets."""

    real_images: ImageSet
    synthetic_images: ImageSet
    decisions: pd.DataFrame
    copies: pd.DataFrame

    def training_sets(self, options: DoseResponseOptions) -> Iterator[tuple[str, ImageSet]]:
        """By name of arm, one at a time; all real images alone are `ratio_0` and not repeated."""
        for ratio in options.ratios:
            yield ratio_arm(ratio), self._at(ratio)
        for name, images in real_subsets(self.real_images, options).items():
            yield name, real_only(images)

    def _at(self, ratio: float) -> ImageSet:
        if ratio == 0:
            return real_only(self.real_images)
        return replaced(self.real_images, self.synthetic_images, self.decisions, self.copies, synthetic_share(ratio))


def ratio_arm(ratio: float) -> str:
    """The arm with `ratio` synthetic images per real one.

    >>> ratio_arm(0.25), ratio_arm(2.0)
    ('ratio_0.25', 'ratio_2')
    """
    return f"ratio_{ratio:g}"


def synthetic_share(ratio: float) -> float:
    """Of the draws of a batch.

    >>> synthetic_share(1)
    0.5
    """
    return ratio / (1 + ratio)


def names(real_images: ImageSet, options: DoseResponseOptions) -> list[str]:
    """Of all arms, in the order of `Ingredients.training_sets`."""
    return [*map(ratio_arm, options.ratios), *real_subsets(real_images, options)]


def real_subsets(real_images: ImageSet, options: DoseResponseOptions) -> dict[str, ImageSet]:
    """By name of arm, the real training images of each share, the smallest first.

    A share is taken of every class (detection: of all images), at least one image; a larger share holds all that a
    smaller one does. Shares that come to the same images, or to all, are left out.
    """
    train = real_images.where(split="train").index
    classes = train["label"] if "label" in train else pd.Series("", index=train.index)
    order = train["image_id"].map(lambda image_id: derive_seed(options.seed, "learning curve", image_id))
    rank = order.groupby(classes).rank(method="first").sub(1)
    size = classes.groupby(classes).transform("size")
    subsets: dict[int, tuple[str, ImageSet]] = {}
    for share in options.real_shares:
        wanted = size.map(lambda count, share=share: max(1, math.floor(share * count + 0.5)))
        chosen = train[rank < wanted]
        if len(chosen) < len(train):
            subsets.setdefault(len(chosen), (f"real_{share:g}", ImageSet(chosen.reset_index(drop=True))))
    return dict(subsets.values())
