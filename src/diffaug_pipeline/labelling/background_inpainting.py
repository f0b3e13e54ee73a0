"""Everything but the objects is drawn anew; the objects' own pixels are put back, so their boxes stay exact."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.blending import blend, weights_around
from diffaug_pipeline.labelling.frames import frame_of, lay_over, uncovered_parts
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.labelling.scene_rows import scene_row
from diffaug_pipeline.labelling.source_images import boxes_in_frame, source_row
from diffaug_pipeline.labelling.strategy import PlanRequest
from diffaug_pipeline.prompts.plan import take_in_turn

MODE = "inpainting"
NAME = "background_inpainting"


def plan_rows(request: PlanRequest) -> list[dict[str, Any]]:
    """`labelling.images` pictures, of the training images in turn."""
    options = request.labelling.background_inpainting
    rows = []
    for number in range(request.labelling.images):
        row = source_row(request, NAME, number)
        size, boxes = request.train.size_of(row["source_image_id"]), request.train.boxes_of(row["source_image_id"])
