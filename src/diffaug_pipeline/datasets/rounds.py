"""Which images of a plan are made: all of them, or, with a quota, those of each class until enough have passed.

With a quota they are made in rounds. The first one takes as many rows of each class as have to pass, each later one, of
the classes that lack some, as many as it takes if they go on passing as often as so far, but at most as many as have
been made. What was judged is written down after each round: a resumed run goes on with it, and only judges anew the
round it was interrupted in. So it makes the same images, however many workers make them.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from diffaug_pipeline.datasets.folder import write_whole
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet


class Rounds:
    """Rows of the plan, round by round; whoever goes through them makes a round's images and has them judged."""

    def __init__(self, data: PlannedImageSet, file: Path):
        self._plan, self._quota, self._file = data.plan.reset_index(drop=True), data.quota, file
        self._passes: dict[str, bool] = json.loads(file.read_text()) if file.exists() else {}

    def __iter__(self) -> Iterator[pd.DataFrame]:
        if self._quota is None:
            yield self._plan
            return
        ids, positions_of = self._plan["image_id"].to_numpy(), self._plan.groupby("label").indices
        made = dict.fromkeys(positions_of, 0)
        while True:
            chosen = []
            for label, positions in positions_of.items():
                passed = sum(self._passes[image_id] for image_id in ids[positions[: made[label]]])
                following = positions[made[label] :][: rows_to_add(self._quota.images, made[label], passed)]
                chosen += following.tolist()
                made[label] += len(following)
            if not chosen:
                return
            yield self._plan.iloc[sorted(chosen)]

    def judge(self, index: pd.DataFrame) -> None:
        """Writes down which images of a round, given their `index`, pass; unless there is no quota or that is known."""
        if self._quota is None or index["image_id"].isin(self._passes.keys()).all():
            return
        passes = self._quota.judge(ImageSet(index.reset_index(drop=True)))
        self._passes |= dict(zip(index["image_id"], map(bool, passes), strict=True))
        write_whole(self._file, json.dumps(self._passes))


def rows_to_add(wanted: int, made: int, passed: int) -> int:
    """How many more images of a class to make, when `passed` of those `made` count and `wanted` have to.

    >>> [rows_to_add(50, made, passed) for made, passed in ((0, 0), (50, 30), (50, 0), (84, 50))]
    [50, 34, 50, 0]
    """
    if passed >= wanted or not made:
        return max(0, wanted - passed)
    return min(made, math.ceil((wanted - passed) * made / max(1, passed)))
