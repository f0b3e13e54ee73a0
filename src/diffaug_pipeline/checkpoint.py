"""A checkpoint: a folder with safetensors weights and JSON descriptions."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffaug_pipeline.errors import ModelFolderError


@dataclass(frozen=True)
class Checkpoint:
    """A handle on a complete checkpoint folder; nothing is read until asked for."""

    folder: Path

    def read_json(self, name: str) -> Any:
        """The content of one JSON file of the folder. Raises `ModelFolderError` if it is missing or damaged."""
        file = self.folder / name
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelFolderError(f"{file} cannot be read ({error.strerror}); the checkpoint is not whole.") from error
        except ValueError as error:
            raise ModelFolderError(f"{file} is damaged: it is not JSON ({error}).") from error
