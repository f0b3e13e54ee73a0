"""Detectors that are told in words what to look for."""

from collections.abc import Sequence

import torch
from PIL import Image
from torchvision.ops import batched_nms
from transformers import AutoConfig, AutoModelForZeroShotObjectDetection, AutoProcessor
from transformers.image_transforms import center_to_corners_format
from transformers.utils import ModelOutput

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.boxes import Boxes, clip
from diffaug_pipeline.labelling.picture_rows import SMALLEST_BOX_PX, with_article
from diffaug_pipeline.synthesis.models import (
    hush_loading_bars,
    load_whole,
    loading_errors,
    locate_model,
    model_revision,
    model_source,
)

OWL = "owlv2"
GROUNDING_DINO = ("grounding-dino", "mm-grounding-dino")

Detections = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""(N, 4) xyxy in pixels, (N,) confidence, (N,) class number"""


def best_boxes(detections: Detections, class_names: Sequence[str], iou: float) -> Boxes:
    """Most confident first; of boxes of one class that overlap by more than `iou`, the most confident stays."""
    xyxy, scores, classes = detections
    kept = batched_nms(xyxy, scores, classes, iou)
    return Boxes.of(
        {"label": class_names[number], "xyxy": place, "ignored": False}
        for number, place in zip(classes[kept].tolist(), xyxy[kept].tolist(), strict=True)
    )


class OpenVocabularyDetector:
    """OWLv2 (Minderer et al. 2023) or Grounding DINO (Liu et al. 2023); loaded when made.

    Raises `ParameterError` for other models, and for more class names than Grounding DINO reads at once.
    """

    def __init__(self, model: str, revision: str | None, class_names: Sequence[str], device: str):
        local = locate_model(model) is not None
        where = {"revision": None if local else model_revision(model, revision), "local_files_only": local}
        hush_loading_bars()
        with loading_errors(model):
            kind = AutoConfig.from_pretrained(model_source(model), **where).model_type
        if kind not in (OWL, *GROUNDING_DINO):
            raise ParameterError(
                f"the detector {model} is of type {kind}; {', '.join((OWL, *GROUNDING_DINO))} can be asked by name."
            )
        self._device, self._class_names = choose_device(device), list(class_names)
        with loading_errors(model):
            self._model = load_whole(AutoModelForZeroShotObjectDetection, model, **where).to(self._device)
            self._processor = AutoProcessor.from_pretrained(model_source(model), **where)
        if kind == OWL:
            self._question: str | list[str] = [f"a photo of {with_article(name)}" for name in class_names]
            self._read = self._read_owl
        else:
            self._question = "".join(f"{phrase}. " for phrase in self._phrases()).strip()
            self._spans = self._token_spans()
            self._read = self._read_grounding_dino

    @torch.inference_mode()
    def detect(self, images: Sequence[Image.Image], confidence: float, iou: float) -> list[Boxes]:
        """The boxes of each picture above `confidence`, most confident first.

        Of boxes of one class that overlap by more than `iou`, the most confident stays.
        """
        inputs = self._processor(images=list(images), text=[self._question] * len(images), return_tensors="pt")
        outputs = self._model(**inputs.to(self._device))
        sizes = torch.tensor([(image.height, image.width) for image in images], device=self._device)
        return [
            self._boxes(detections, image.size, iou)
            for image, detections in zip(images, self._read(outputs, sizes, confidence), strict=True)
        ]

    def _boxes(self, detections: Detections, size_px: tuple[int, int], iou: float) -> Boxes:
        xyxy, scores, classes = detections
        xyxy = torch.from_numpy(clip(xyxy.cpu().double().numpy(), size_px))
        large = (xyxy[:, 2:] - xyxy[:, :2] >= SMALLEST_BOX_PX).all(1)
        return best_boxes((xyxy[large], scores.cpu().double()[large], classes.cpu()[large]), self._class_names, iou)

    def _read_owl(self, outputs: ModelOutput, sizes: torch.Tensor, confidence: float) -> list[Detections]:
        found = self._processor.post_process_grounded_object_detection(
            outputs, threshold=confidence, target_sizes=sizes
        )
        return [(one["boxes"], one["scores"], one["labels"]) for one in found]

    def _read_grounding_dino(self, outputs: ModelOutput, sizes: torch.Tensor, confidence: float) -> list[Detections]:
        """A class scores as its most active token does.

        `post_process_grounded_object_detection` would return the active tokens as text, which need not be a class name.
        """
        by_token = outputs.logits.sigmoid()  # (B, Q, T)
        by_class = torch.stack([by_token[..., span].amax(-1) for span in self._spans], dim=-1)  # (B, Q, C)
        xyxy = center_to_corners_format(outputs.pred_boxes) * sizes[:, None, [1, 0, 1, 0]]  # (B, Q, 4)
        best = by_class.max(-1)
        kept = best.values > confidence
        return [
            (xyxy[image][kept[image]], best.values[image][kept[image]], best.indices[image][kept[image]])
            for image in range(len(sizes))
        ]

    def _phrases(self) -> list[str]:
        return [name.lower().replace(".", " ").strip() for name in self._class_names]

    def _token_spans(self) -> list[list[int]]:
        """Positions of each class's tokens in the question."""
        tokens = self._processor.tokenizer(self._question, return_offsets_mapping=True)["offset_mapping"]
        most = self._model.config.max_text_len
        if len(tokens) > most:
            raise ParameterError(
                f"the {len(self._class_names)} class names take {len(tokens)} tokens, Grounding DINO reads {most}; "
                "choose an OWLv2 model as labelling.pseudo_labelling.detector."
            )
        spans, start = [], 0
        for phrase in self._phrases():
            end = start + len(phrase)
            spans.append([at for at, (first, last) in enumerate(tokens) if start <= first < last <= end])
            start = end + len(". ")
        return spans
