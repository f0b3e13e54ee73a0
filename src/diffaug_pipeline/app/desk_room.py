"""What the filter desk works on: runs with their pictures, and the file of overrides. Knows no Gradio."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.evaluation.filter_rules import nearest_real
from diffaug_pipeline.evaluation.galleries import large_source
from diffaug_pipeline.filtering.decisions import BY_HAND
from diffaug_pipeline.filtering.desk import Desk, descriptors_of
from diffaug_pipeline.filtering.overrides import Overrides, read_overrides, write_overrides
from diffaug_pipeline.imaging.box_drawing import class_colors, draw_boxes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.project import Project
from diffaug_pipeline.resume import options_to_run_here

TASKS = ("classification", "detection")
PAGE_IMAGES, THUMBNAIL_PX, PICTURE_PX = 60, 128, 256
OPEN_RUNS, KEPT_THUMBNAILS = 2, 600

SHOWN = ["all", "kept", "rejected", "changed", "by hand"]


@dataclass(frozen=True)
class View:
    """Which of the images are looked at, and in which order."""

    class_name: str | None
    """None: all."""
    column: str
    """That they are sorted by."""
    descending: bool
    shown: str
    """One of `SHOWN`."""


@dataclass(frozen=True)
class OpenRun:
    """The decisions of a run and its pictures."""

    run_id: str
    desk: Desk
    synthetic_images: ImageSet
    real_images: ImageSet
    nearest: Mapping[str, str]
    """By synthetic image, the real one that it is nearest to."""

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The index of the synthetic images, by image id."""
        return self.synthetic_images.index.set_index("image_id")

    def changed(self, decided: pd.DataFrame) -> np.ndarray:
        """(N,) bool, of which images the decision is another than in the run."""
        return (decided["accepted"] != self.desk.decisions["accepted"]).to_numpy()

    def arrange(self, decided: pd.DataFrame, view: View) -> pd.DataFrame:
        """The rows of `decided` that are looked at, in their order; those without a score come last."""
        of_class = np.ones(len(decided), dtype=bool) if view.class_name is None else self.desk.of_class(view.class_name)
        accepted = decided["accepted"].to_numpy()
        shown = {
            "all": np.ones_like(accepted),
            "kept": accepted,
            "rejected": ~accepted,
            "changed": self.changed(decided),
            "by hand": decided[BY_HAND].notna().to_numpy(),
        }[view.shown]
        return decided[of_class & shown].sort_values(view.column, ascending=not view.descending, kind="stable")

    def draw(self, images: ImageSet, image_id: str, size_px: int) -> Image.Image:
        """One picture, its longer side `size_px`, or the largest multiple below of a small one; with its boxes."""
        picture = images.read(image_id)
        if images.target == "boxes":
            return draw_boxes(picture, images.boxes_of(image_id), class_colors(self.real_images.class_names), size_px)
        if (factor := size_px // max(picture.size)) > 1:
            return picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.NEAREST)
        picture.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
        return picture


class DeskRoom:
    """Opens runs when asked for; at no time are more pictures held than a few pages of thumbnails."""

    def __init__(self, project: Project):
        self._project = project
        self.open = lru_cache(OPEN_RUNS)(self._open)
        self.thumbnail = lru_cache(KEPT_THUMBNAILS)(self._thumbnail)

    def forget(self) -> None:
        """Runs that are asked for from now on are read anew: they may have been resumed, or removed."""
        self.open.cache_clear()
        self.thumbnail.cache_clear()

    def tasks(self) -> list[str]:
        """Those of which a run has decisions."""
        return [task for task in TASKS if self.run_ids(task)]

    def run_ids(self, task: str) -> list[str]:
        """Runs with decisions that can be repeated, newest first."""
        decided = set(self._project.run_ids(f"{task}.filter_decisions"))
        return [run_id for run_id in self._project.run_ids(f"{task}.filter_overrides") if run_id in decided]

    def _open(self, task: str, run_id: str) -> OpenRun:
        def stored(name: str) -> Any:
            return self._project.load(f"{task}.{name}", run_id)

        copies, synthetic, real = (stored(name) for name in ("copies", "synthetic_images", "real_images"))
        desk = Desk(
            stored("filter_decisions"),
            stored("filter_calibration"),
            synthetic,
            copies,
            descriptors_of(synthetic, stored("image_features")),
            stored("box_scores") if task == "detection" else None,
        )
        return OpenRun(run_id, desk, synthetic, real, nearest_real(copies, real))

    def _thumbnail(self, task: str, run_id: str, image_id: str) -> str:
        """What an `<img>` shows."""
        opened = self.open(task, run_id)
        return large_source(opened.draw(opened.synthetic_images, image_id, THUMBNAIL_PX))

    def read(self, task: str, run_id: str) -> Overrides:
        """What the file says. Raises `ParameterError` if it cannot be understood."""
        path, desk = self._path(task), self.open(task, run_id).desk
        return read_overrides(None if path is None else str(path), desk.rules, desk.class_names)

    def save(self, task: str, run_id: str, overrides: Overrides, known: Overrides) -> Path:
        """Writes the file that the next run reads, and that says what is `known` so far.

        Raises `ParameterError` if the parameters name none, or if what it says, and would lose, is something else or
        not understood.
        """
        path = self._path(task)
        if path is None:
            raise ParameterError(
                f"{task}.filtering.overrides is null, so no run would read what is saved; name a file there."
            )
        if self.read(task, run_id) != known:
            raise ParameterError(
                f"{path} has been changed since this page read it, by another page or by hand; go back to what is "
                "saved, and decide again."
            )
        write_overrides(overrides, path)
        return path

    def command(self, task: str) -> str:
        """What makes a run go by the file."""
        here = options_to_run_here(
            self._project.folder,
            self._project.env,
            self._project.conf_source,
            self._project.runtime_params,
        )
        return " ".join(["kedro run --pipelines", task, *here])

    def _path(self, task: str) -> Path | None:
        named = self._project.parameters(f"params:{task}.filtering").overrides
        return None if named is None else self._project.folder / named
