"""Makes the vectors of one model; the model is only loaded if something is missing."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from diffaug_pipeline.features.embedder import LazyEncoder
from diffaug_pipeline.features.encoder import has_text_tower
from diffaug_pipeline.features.features import CLASS_VECTORS, SPACE
from diffaug_pipeline.features.keyed_array import KeyedArray, find_arrays
from diffaug_pipeline.synthesis.models import model_revision


class SpaceMaking:
    """The vectors of one model in the making."""

    def __init__(self, name: str, model: str, revision: str | None, device: str):
        self.name, self.lazy_encoder = name, LazyEncoder(model, revision, device)
        # The revision also names the files that say at what size and how normalised pictures enter the model.
        self.identity = {
            "what": "unit vectors of pictures",
            "model": model,
            "model_revision": model_revision(model, revision),
            "fit": "cover",
            "dtype": "float32",
        }

    def settle(self, folder: Path, keys: Sequence[str], earlier: Sequence[Path]) -> None:
        """Makes `array`, with what is known of the `keys` in `folder` itself and in `earlier` sets."""
        self._folder, self._known = folder / self.name, find_arrays(self.identity, earlier)
        known = [KeyedArray(path) for path in self._known]
        self.array = KeyedArray.settle(
            self._folder, self.identity, keys, known, lambda: (self.lazy_encoder.loaded.dimension,), np.float32
        )

    def describe(self, class_names: Sequence[str], templates: Sequence[str]) -> None:
        """Writes which model it is and what it says about the classes."""
        has_text = has_text_tower(self.lazy_encoder.model, self.lazy_encoder.revision)
        asked = {"class_names": list(class_names) if has_text else [], "templates": list(templates) if has_text else []}
        logit_scale, vectors = self._known_classes(asked) or self._embed_classes(**asked)
        np.save(self._folder / CLASS_VECTORS, vectors)
        described = {key: self.identity[key] for key in ("model", "model_revision")} | asked
        (self._folder / SPACE).write_text(json.dumps(described | {"logit_scale": logit_scale}, indent=2) + "\n")

    def _known_classes(self, asked: dict[str, list[str]]) -> tuple[float | None, np.ndarray] | None:
        for folder in self._known:
            with suppress(FileNotFoundError):
                described = json.loads((folder / SPACE).read_text())
                if described.items() >= asked.items():
                    return described["logit_scale"], np.load(folder / CLASS_VECTORS)
        return None

    def _embed_classes(self, class_names: list[str], templates: list[str]) -> tuple[float | None, np.ndarray]:
        if not class_names:
            return None, np.zeros((0, *self.array.row_shape), np.float32)
        encoder = self.lazy_encoder.loaded
        return encoder.logit_scale, encoder.embed_classes(class_names, templates)
