"""Whole scenes from text; a detector says where the objects are, so labels are no better than it is."""

from functools import cached_property, partial
from typing import Any

import pandas as pd
import torch

from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import DrawnImage, EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.open_vocabulary import OpenVocabularyDetector, best_boxes
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.labelling.picture_rows import picture_row, scene_prompt
from diffaug_pipeline.labelling.scene_rows import scene_row
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import Draw, take_in_turn
from diffaug_pipeline.synthesis.models import model_revision

MODE = "text_to_image"
NAME = "pseudo_labelling"


def plan_rows(request: PlanRequest) -> list[dict[str, Any]]:
    """`labelling.images` scenes whose prompts name `classes_per_scene` classes, the classes in turn."""
    rows = []
    for number in range(request.labelling.images):
        names = _classes_of(request, number)
        draw = Draw(None, NAME, number)
        prompt = scene_prompt(request, names, draw)
        rows.append(picture_row(request, NAME, number, draw) | {"boxes": [], "source_image_id": None, "prompt": prompt})
    return rows


def label_images(generated: ImageSet, real_images: ImageSet, options: LabellingOptions) -> PlannedImageSet:
    """The pictures as they are, with what the detector finds of the real images' classes inside the files."""
    detecting = options.pseudo_labelling
    revision = model_revision(detecting.detector, detecting.revision)
    determining = detecting.model_dump(exclude={"classes_per_scene"}) | {
        "revision": revision,
        "class_names": real_images.class_names,
    }
    labelled = generated.index.assign(labeller=detecting.detector, labeller_revision=revision)
    rows = [
        scene_row(picture["image_id"], NAME, None, picture, {"picture": picture["sha256"]} | determining)
        for picture in labelled.to_dict("records")
    ]
    return PlannedImageSet(
        pd.DataFrame(rows),
        PseudoLabeller(generated, real_images.class_names, options),
        batch_size=options.batch_size,
        description="detecting objects",
    )


def label_detected(generated: ImageSet, detections: pd.DataFrame, options: LabellingOptions) -> PlannedImageSet:
    """The pictures as they are, with `detections` (`image_id`, `boxes` with confidences) that are sure enough."""
    detecting = options.pseudo_labelling
    found = detections.set_index("image_id")["boxes"]
    rows = []
    for picture in generated.index.assign(labeller=detecting.detector).to_dict("records"):
        boxes = _sure(found[picture["image_id"]], detecting.confidence, detecting.iou).records()
        determining = {"picture": picture["sha256"], "boxes": boxes}
        rows.append(scene_row(picture["image_id"], NAME, None, picture, determining) | {"boxes": boxes})
    return PlannedImageSet(
        pd.DataFrame(rows), partial(_copy, generated=generated), options.batch_size, description="copying scenes"
    )


def _sure(found: list[dict[str, Any]], confidence: float, iou: float) -> Boxes:
    """Those above `confidence`, less what `best_boxes` drops."""
    sure = [one for one in found if one["confidence"] > confidence]
    labels = sorted({one["label"] for one in sure})
    detections = (
        torch.tensor([list(one["xyxy"]) for one in sure], dtype=torch.float64).reshape(-1, 4),
        torch.tensor([one["confidence"] for one in sure], dtype=torch.float64),
        torch.tensor([labels.index(one["label"]) for one in sure], dtype=torch.int64),
    )
    return best_boxes(detections, labels, iou)


def _copy(rows: pd.DataFrame, generated: ImageSet) -> list[DrawnImage]:
    return [DrawnImage(generated.read(image_id)) for image_id in rows["image_id"]]


class PseudoLabeller:
    """Makes the scenes of plan rows; loads the detector for the first."""

    def __init__(self, generated: ImageSet, class_names: list[str], options: LabellingOptions):
        self._generated, self._class_names, self._options = generated, class_names, options

    @cached_property
    def detector(self) -> OpenVocabularyDetector:
        """The detector the options name."""
        detecting = self._options.pseudo_labelling
        return OpenVocabularyDetector(detecting.detector, detecting.revision, self._class_names, self._options.device)

    def __call__(self, rows: pd.DataFrame) -> list[EncodedImage]:
        """One PNG per row, its boxes inside."""
        pictures = [self._generated.read(image_id) for image_id in rows["image_id"]]
        detecting = self._options.pseudo_labelling
        found = self.detector.detect(pictures, detecting.confidence, detecting.iou)
        return [
            EncodedImage(encode_png(picture, boxes), ".png") for picture, boxes in zip(pictures, found, strict=True)
        ]


def _classes_of(request: PlanRequest, number: int) -> list[str]:
    """Names without repeats, where a round of turns ends within a scene."""
    count, names = request.labelling.pseudo_labelling.classes_per_scene, request.train.class_names
    drawn = [
        take_in_turn(names, number * count + position, request.synthesis.seed, NAME, "class")
        for position in range(count)
    ]
    return list(dict.fromkeys(drawn))
