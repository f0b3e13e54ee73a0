"""Where a model's files are and which exact weights they hold, without loading them."""

import hashlib
from functools import lru_cache
from pathlib import Path

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import ModelFolderError

HASHED_SUFFIXES = (".safetensors", ".json", ".txt")


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


def hush_loading_bars() -> None:
    """Takes seconds at most, and its bars would tear our own apart; those of downloads stay."""
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


@lru_cache(maxsize=16)
def model_revision(model: str, revision: str | None) -> str:
    """Names the exact weights: a digest of the files of a folder, the commit of a hub repository."""
    folder = locate_model(model)
    if folder is not None:
        return _digest(folder)
    if revision is not None:
        return revision
    from huggingface_hub import HfApi

    return HfApi().model_info(model).sha


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
