"""LoRA adapters: where their weights are, and which exactly they are."""

import json
from collections.abc import Sequence
from pathlib import Path

from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis import hub
from diffaug_pipeline.synthesis.models import file_digest, locate_model, model_revision
from diffaug_pipeline.synthesis.options import Adapter

DEFAULT_WEIGHT_NAME = "pytorch_lora_weights.safetensors"


def adapter_file(adapter: Adapter) -> Path:
    """The adapter's weights on this machine, downloaded where they are not.

    Raises `ModelFolderError` where there are none, or none in safetensors; `HubError` where they cannot be had.
    """
    name = adapter.weight_name or DEFAULT_WEIGHT_NAME
    local = _local_file(adapter, name)
    file = hub.fetch_file(adapter.model, adapter.revision, name) if local is None else local
    if file is None or not file.is_file():
        raise ModelFolderError(
            f"the adapter {adapter.model} has no file {name}; name its .safetensors file with weight_name."
        )
    if file.suffix != ".safetensors":
        raise ModelFolderError(
            f"the adapter {file.name} is not in safetensors format: other formats can run code when they are read. "
            "Have it converted, or choose another."
        )
    return file


def pin_adapters(adapters: Sequence[Adapter], planned: Sequence[Adapter] = ()) -> list[Adapter]:
    """With the exact revision of each: the digest of a local file, the commit of a hub repository.

    Where the newest commit is asked for, it is the one that the newest was for `planned`.
    """
    known = {(adapter.model, adapter.weight_name): adapter.revision for adapter in planned}
    return [adapter.model_copy(update={"revision": _revision(adapter, known)}) for adapter in adapters]


def write_adapters(adapters: Sequence[Adapter]) -> str | None:
    """As JSON for a column of a plan; None if there are none."""
    return json.dumps([adapter.model_dump() for adapter in adapters], sort_keys=True) if adapters else None


def read_adapters(text: str | None) -> list[Adapter]:
    """What `write_adapters` wrote; a table may have turned None into NaN."""
    return [Adapter(**adapter) for adapter in json.loads(text)] if isinstance(text, str) else []


def _local_file(adapter: Adapter, name: str) -> Path | None:
    file = Path(adapter.model).expanduser()
    if file.is_file():
        return file
    folder = locate_model(adapter.model)
    return None if folder is None else folder / name


def _revision(adapter: Adapter, known: dict[tuple[str, str | None], str | None]) -> str:
    if _local_file(adapter, DEFAULT_WEIGHT_NAME) is not None:
        return file_digest(adapter_file(adapter))
    newest_then = known.get((adapter.model, adapter.weight_name)) if adapter.revision is None else None
    return newest_then or model_revision(adapter.model, adapter.revision)
