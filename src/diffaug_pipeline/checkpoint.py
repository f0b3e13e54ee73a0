"""A checkpoint: a folder with safetensors weights and JSON descriptions."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Checkpoint:
    """A handle on a complete checkpoint folder; nothing is read until asked for."""

    folder: Path

    def read_json(self, name: str) -> Any:
        """The content of one JSON file of the folder."""
        return json.loads((self.folder / name).read_text())
