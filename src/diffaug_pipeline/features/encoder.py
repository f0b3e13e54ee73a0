"""Models that turn pictures, and with a text tower also class names, into unit vectors."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import AutoModel, AutoProcessor

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.features.options import ClassEncoderOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.progress import progress_bar
from diffaug_pipeline.synthesis.models import (
    hush_loading_bars,
    load_whole,
    loading_errors,
    locate_model,
    model_revision,
    model_source,
    read_model_file,
)


class ImageEncoder:
    """A vision transformer with a pooled output, such as DINOv2; loaded when made."""

    def __init__(self, model: str, revision: str | None, device: str):
        local = locate_model(model) is not None
        self.revision = model_revision(model, revision)
        where = {"revision": None if local else self.revision, "local_files_only": local}
        hush_loading_bars()
        self._device = choose_device(device)
        with loading_errors(model):
            self._model = load_whole(AutoModel, model, **where).to(self._device)
            self._take_processor(AutoProcessor.from_pretrained(model_source(model), **where))
            self.size_px = self._find_size_px()
            self.dimension = self.embed([Image.new("RGB", self.size_px)]).shape[1]

    def _take_processor(self, processor: Any) -> None:
        self._image_processor = processor

    def _find_size_px(self) -> tuple[int, int]:
        """Width and height that the processor crops to; the model's own size may be that of its last training phase."""
        crops = getattr(self._image_processor, "do_center_crop", False)
        size = self._image_processor.crop_size if crops else self._image_processor.size
        return size.width or size.shortest_edge, size.height or size.shortest_edge

    def prepare(self, image: Image.Image) -> Image.Image:
        """`image` at the size of the model."""
        return fit_image(image, self.size_px, "cover").image

    @torch.inference_mode()
    def embed(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(N, D) float32 unit vectors of prepared pictures, computed in one batch."""
        # Given as one array and grouped, they are normalised together and not one by one.
        stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
        pixels = self._image_processor(
            stacked, do_resize=False, do_center_crop=False, disable_grouping=False, return_tensors="pt"
        ).pixel_values.to(self._device)
        return F.normalize(self._pool(pixels), dim=-1).cpu().numpy()

    def _pool(self, pixels: Tensor) -> Tensor:
        return self._model(pixel_values=pixels).pooler_output

    def embed_images(self, images: Collection[Image.Image] | ImageSet, batch_size: int, description: str) -> np.ndarray:
        """(N, D) float32 unit vectors of the pictures, read `batch_size` at a time."""
        embeddings = np.empty((len(images), self.dimension), np.float32)
        done = 0
        with progress_bar(len(images), description, "images") as bar:
            for pictures in self._read_in_batches(images, batch_size):
                embeddings[done : done + len(pictures)] = self.embed(pictures)
                done += len(pictures)
                bar.update(len(pictures))
        return embeddings

    def _read_in_batches(
        self, images: Collection[Image.Image] | ImageSet, batch_size: int
    ) -> Iterator[list[Image.Image]]:
        pictures = map(self.prepare, images)
        while batch := list(islice(pictures, batch_size)):
            yield batch


class ClipScorer(ImageEncoder):
    """A CLIP, SigLIP or SigLIP2 model, which can also be asked which class a picture shows."""

    def _take_processor(self, processor: Any) -> None:
        self._image_processor, self._tokenizer = processor.image_processor, processor.tokenizer
        self.logit_scale = self._model.logit_scale.exp().item()

    def _find_size_px(self) -> tuple[int, int]:
        side = self._model.config.vision_config.image_size
        return side, side

    def _pool(self, pixels: Tensor) -> Tensor:
        return self._model.get_image_features(pixel_values=pixels).pooler_output

    @torch.inference_mode()
    def embed_classes(self, class_names: Sequence[str], templates: Sequence[str]) -> np.ndarray:
        """(C, D) float32 unit vectors: means of the templates' unit embeddings (Radford et al. 2021, section 3.1.4)."""
        ensembles = []
        for name in class_names:
            tokens = self._tokenize([template.format(class_name=name) for template in templates])
            embeddings = F.normalize(self._model.get_text_features(**tokens).pooler_output, dim=-1)
            ensembles.append(F.normalize(embeddings.mean(0), dim=-1))
        return torch.stack(ensembles).cpu().numpy()

    def _tokenize(self, sentences: list[str]) -> dict[str, Tensor]:
        if not self._model.config.model_type.startswith("siglip"):
            return self._tokenizer(sentences, padding=True, truncation=True, return_tensors="pt").to(self._device)
        # SigLIP reads a sentence off its last place, and was trained with padding up to there that no mask hides.
        tokens = self._tokenizer(
            sentences,
            padding="max_length",
            padding_side="right",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        return {"input_ids": tokens.input_ids.to(self._device)}


def load_encoder(model: str, revision: str | None, device: str) -> ImageEncoder:
    """A `ClipScorer` where the model has a text tower."""
    return (ClipScorer if has_text_tower(model, revision) else ImageEncoder)(model, revision, device)


def has_text_tower(model: str, revision: str | None) -> bool:
    """Whether the model can be asked about classes; its weights stay where they are."""
    return "text_config" in (read_model_file(model, revision, "config.json") or {})


def check_scorer(scorer: ClassEncoderOptions) -> None:
    """Raises `ParameterError` for a model that cannot be asked about classes."""
    if not has_text_tower(scorer.model, scorer.revision):
        raise ParameterError(
            f"features.scorer is {scorer.model}, which has no text tower and cannot be asked about classes; choose "
            "a CLIP or SigLIP model. As features.measure it will do."
        )
