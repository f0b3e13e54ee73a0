"""A CLIP model as a judge of which class a picture shows."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from transformers import AutoModel, AutoProcessor

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.progress import progress_bar
from diffaug_pipeline.synthesis.models import (
    hush_loading_bars,
    loading_errors,
    locate_model,
    model_revision,
    model_source,
)


class ClipScorer:
    """Embeds pictures and class sentences; loaded when made."""

    def __init__(self, model: str, revision: str | None, device: str):
        local = locate_model(model) is not None
        self.revision = model_revision(model, revision)
        where = {"revision": None if local else self.revision, "local_files_only": local}
        hush_loading_bars()
        self._device = choose_device(device)
        with loading_errors(model):
            self._model = AutoModel.from_pretrained(
                model_source(model), dtype=torch.float32, use_safetensors=True, **where
            ).to(self._device)
            processor = AutoProcessor.from_pretrained(model_source(model), **where)
        self._model.eval()
        self._tokenizer, self._image_processor = processor.tokenizer, processor.image_processor
        self._image_size_px = self._model.config.vision_config.image_size
        self.logit_scale = self._model.logit_scale.exp().item()

    @torch.inference_mode()
    def embed_classes(self, class_names: Sequence[str], templates: Sequence[str]) -> np.ndarray:
        """(C, D) unit vectors: the mean over the templates' unit embeddings (Radford et al. 2021, section 3.1.4)."""
        ensembles = []
        for name in class_names:
            sentences = [template.format(class_name=name) for template in templates]
            tokens = self._tokenizer(sentences, padding=True, truncation=True, return_tensors="pt").to(self._device)
            embeddings = F.normalize(self._model.get_text_features(**tokens).pooler_output, dim=-1)
            ensembles.append(F.normalize(embeddings.mean(0), dim=-1))
        return torch.stack(ensembles).cpu().numpy()

    @torch.inference_mode()
    def embed_images(self, images: Collection[Image.Image] | ImageSet, batch_size: int, description: str) -> np.ndarray:
        """(N, D) unit vectors of the pictures, read `batch_size` at a time."""
        embeddings = np.empty((len(images), self._model.config.projection_dim), np.float32)
        done = 0
        with progress_bar(len(images), description, "images") as bar:
            for pictures in self._read_in_batches(images, batch_size):
                pixels = self._image_processor(
                    pictures, do_resize=False, do_center_crop=False, return_tensors="pt"
                ).pixel_values.to(self._device)
                features = self._model.get_image_features(pixel_values=pixels).pooler_output
                embeddings[done : done + len(pictures)] = F.normalize(features, dim=-1).cpu().numpy()
                done += len(pictures)
                bar.update(len(pictures))
        return embeddings

    def _read_in_batches(
        self, images: Collection[Image.Image] | ImageSet, batch_size: int
    ) -> Iterator[list[Image.Image]]:
        size = (self._image_size_px, self._image_size_px)
        pictures = (fit_image(image, size, "cover").image for image in images)
        while batch := list(islice(pictures, batch_size)):
            yield batch


def nearest_classes(image_features: np.ndarray, class_features: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """(N,) the name of the class each of the (N, D) unit vectors is nearest to, of (C, D) ones."""
    return np.array(class_names)[(image_features @ class_features.T).argmax(1)]


def class_probabilities(image_features: np.ndarray, class_features: np.ndarray, logit_scale: float) -> np.ndarray:
    """(N, C) softmax over classes of the scaled cosine between (N, D) and (C, D) unit vectors."""
    logits = logit_scale * image_features @ class_features.T
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)
