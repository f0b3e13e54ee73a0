"""Where a model's files are and which exact weights they hold, without loading them."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from textwrap import shorten
from typing import Any

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import DiffaugError, ModelFolderError
from diffaug_pipeline.synthesis import hub

HASHED_SUFFIXES = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""Weights, configurations, and what tokenizers are made of."""
LONGEST_REASON = 300
"""Letters; some libraries list all tensors of a model."""


def locate_model(model: str) -> Path | None:
    """The folder of an embedded or local model; None for a hub id."""
    embedded = embedded_folder(model)
    if embedded is not None:
        if not embedded.is_dir():
            raise ModelFolderError(f"{model} is not part of this package; embedded are generator and clip.")
        return embedded
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.startswith(("/", ".", "~")):
        raise ModelFolderError(f"the model folder {model} does not exist; name a folder or a hub id.")
    return None


def model_source(model: str) -> str:
    """What `from_pretrained` should be given."""
    return str(locate_model(model) or model)


def read_model_file(model: str, revision: str | None, name: str) -> dict[str, Any] | None:
    """The JSON file `name` of a model, e.g. `model_index.json`; None if it has no such file."""
    folder = locate_model(model)
    path = hub.fetch_file(model, revision, name) if folder is None else folder / name
    if path is None or not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFolderError(f"{path} is damaged: it is not JSON ({error}).") from error


def scheduler_config(model: str, revision: str | None) -> dict[str, Any]:
    """What the model's own scheduler was saved with; empty for a model without one."""
    return read_model_file(model, revision, "scheduler/scheduler_config.json") or {}


def hush_loading_bars() -> None:
    """Takes seconds at most, and its bars would tear our own apart; those of downloads stay."""
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


@contextmanager
def loading_errors(model: str) -> Iterator[None]:
    """Says in one sentence, as `ModelFolderError`, why a library cannot load `model`; full memory stays what it is."""
    import torch

    try:
        yield
    except (DiffaugError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()] or ["it does not say why"]
        reason = shorten(" ".join(said[:2]) if said[0].endswith(":") else said[0], LONGEST_REASON, placeholder=" …")
        raise ModelFolderError(
            f"{model} cannot be loaded ({type(error).__name__}: {reason}); see whether it is whole and of the kind "
            "asked for."
        ) from error


def load_whole(kind: Any, model: str, **where: Any) -> Any:
    """A model of a `kind` of transformers, in float32 and from safetensors alone, ready to be asked.

    `where` tells hub revisions. Raises `ModelFolderError` for weights that transformers would draw at random.
    """
    import torch

    loaded, report = kind.from_pretrained(
        model_source(model), dtype=torch.float32, use_safetensors=True, output_loading_info=True, **where
    )
    if absent := report["missing_keys"] | {key for key, *_ in report.get("mismatched_keys", ())}:
        raise ModelFolderError(
            f"{model} holds no {min(absent)}, and random weights would see nothing; choose a model that was trained "
            "for what it is asked to do here, and see whether it is whole."
        )
    return loaded.eval()


@lru_cache(maxsize=16)
def model_revision(model: str, revision: str | None) -> str:
    """Names the exact weights: a digest of the files of a folder, the commit of a hub repository.

    Raises `ModelFolderError` for a folder without safetensors, `HubError` for a repository that cannot be had.
    """
    folder = locate_model(model)
    return hub.repository_commit(model, revision) if folder is None else _digest(folder)


def file_digest(path: Path) -> str:
    """16 hex digits that name the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _digest(folder: Path) -> str:
    hashed = sorted(path for path in folder.rglob("*") if path.suffix in HASHED_SUFFIXES)
    if not any(path.suffix == ".safetensors" for path in hashed):
        raise ModelFolderError(f"{folder} holds no .safetensors weights; other formats are not loaded.")
    digest = hashlib.sha256()
    for path in hashed:
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
