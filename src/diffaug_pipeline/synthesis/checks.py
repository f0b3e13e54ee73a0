"""What can be known to be wrong with a generator before any image is made."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from huggingface_hub import constants, try_to_load_from_cache
from safetensors import SafetensorError, safe_open

from diffaug_pipeline.errors import DiskSpaceError, HubUnreachableError, ModelFolderError, ParameterError
from diffaug_pipeline.synthesis import hub
from diffaug_pipeline.synthesis.adapters import adapter_file, pin_adapters
from diffaug_pipeline.synthesis.models import locate_model, model_revision, read_model_file
from diffaug_pipeline.synthesis.options import GeneratorPreset, Mode

INDEX = "model_index.json"
PICKLES = (".bin", ".ckpt", ".pt", ".pth")
IN_ALL_MODES = (
    "FluxPipeline",
    "QwenImagePipeline",
    "StableDiffusion3Pipeline",
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "ZImagePipeline",
)
"""Known without asking diffusers, which takes seconds to load all its pipelines."""
IN_PATCHES = ("FluxPipeline", "QwenImagePipeline", "StableDiffusion3Pipeline", "ZImagePipeline")
PATCH_PX = 16
"""Their transformers see patches of 2 x 2 latents, each of 8 x 8 pixels."""


def check_generator(preset: GeneratorPreset, mode: Mode) -> None:
    """Raises if no image can be made with the preset in `mode`; see `check_model`, `check_mode` and `check_size`."""
    revision = model_revision(preset.model, preset.revision)
    check_model(preset.model, revision, preset.variant)
    check_mode(preset.model, revision, mode)
    check_size(preset, revision)
    for adapter in pin_adapters(preset.adapters):
        check_safetensors(adapter_file(adapter))


def check_model(model: str, revision: str, variant: str | None) -> None:
    """Raises unless `model` is a diffusers pipeline with whole safetensors weights, there or with room to download it.

    `ModelFolderError` for what it is not, `HubError` if it cannot be had, `DiskSpaceError` if it does not fit.
    """
    folder = locate_model(model)
    if folder is not None:
        files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        components = _components(model, revision)
        _check_layout(model, files, components)
        for name in files:
            if name.endswith(".safetensors") and PurePosixPath(name).parent.as_posix() in components:
                check_safetensors(folder / name)
        return
    try:
        sizes = hub.repository_files(model, revision)
    except HubUnreachableError:
        if hub.cached_commit(model, revision) is None:
            raise
        return
    components = _components(model, revision)
    _check_layout(model, sizes, components)
    missing = [
        name
        for name in files_to_load(sizes, components, variant)
        if not isinstance(try_to_load_from_cache(model, name, revision=revision), str)
    ]
    _check_room(model, sum(sizes[name] for name in missing))


def check_mode(model: str, revision: str, mode: Mode) -> None:
    """Raises `ParameterError` if models of this kind offer no `mode`, or none as we use it."""
    class_name = _class_name(model, revision)
    if mode != "inpainting" and "Inpaint" in class_name:
        _check_it_draws_without_a_mask(model, revision, mode)
    if class_name not in IN_ALL_MODES:
        from diffaug_pipeline.synthesis.families import pipeline_class

        pipeline_class(class_name, mode)


def check_size(preset: GeneratorPreset, revision: str) -> None:
    """Raises `ParameterError` for a size that the model does not draw: some refuse it, others draw another one."""
    sizes = (preset.width_px, preset.height_px)
    if _class_name(preset.model, revision) in IN_PATCHES and any(size % PATCH_PX for size in sizes):
        raise ParameterError(
            f"{preset.model} draws pictures whose sides are multiples of {PATCH_PX} pixels, not {sizes[0]} x "
            f"{sizes[1]}; set width_px and height_px of the generator to such."
        )


def files_to_load(names: Iterable[str], components: set[str], variant: str | None) -> list[str]:
    """What diffusers downloads: of each component its configuration, and its safetensors of `variant` or else plain.

    >>> files_to_load(["all.safetensors", "vae/m.bin", "vae/m.safetensors", "vae/m.fp16.safetensors"], {"vae"}, "fp16")
    ['vae/m.fp16.safetensors']
    """
    wanted = []
    for component in sorted(components):
        inside = [name for name in names if PurePosixPath(name).parent.as_posix() == component]
        weights = [name for name in inside if name.endswith(".safetensors")]
        of_variant = [name for name in weights if variant and re.search(rf"\.{re.escape(variant)}[.-]", name)]
        wanted += of_variant or [name for name in weights if PurePosixPath(name).name.count(".") == 1]
        wanted += [name for name in inside if PurePosixPath(name).suffix in (".json", ".txt", ".model")]
    return wanted


def check_safetensors(path: Path) -> None:
    """Raises `ModelFolderError` if the header of the file is damaged, or the file not as long as that says."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise ModelFolderError(f"{path} is damaged ({error}); copy or download it again.") from error


def _class_name(model: str, revision: str) -> str:
    class_name = (read_model_file(model, revision, INDEX) or {}).get("_class_name")
    if not isinstance(class_name, str):
        raise ModelFolderError(f"the {INDEX} of {model} names no pipeline class; save it with save_pretrained.")
    return class_name


def _components(model: str, revision: str) -> set[str]:
    """The folders of a pipeline; others may lie beside them, e.g. checkpoints that a training has left."""
    return {name for name in read_model_file(model, revision, INDEX) or {} if not name.startswith("_")}


def _check_layout(model: str, names: Iterable[str], components: set[str]) -> None:
    if INDEX not in names:
        raise ModelFolderError(f"{model} is no diffusers pipeline: it has no {INDEX}. {_what_it_is(names)}")
    suffixes: dict[str, set[str]] = {}
    for path in map(PurePosixPath, names):
        suffixes.setdefault(path.parent.as_posix(), set()).add(path.suffix)
    for component, found in suffixes.items():
        if component in components and found.intersection(PICKLES) and ".safetensors" not in found:
            raise ModelFolderError(
                f"the {component} of {model} has its weights only as {', '.join(sorted(found.intersection(PICKLES)))}: "
                "pickles, which can run code when they are read. Choose a repository with .safetensors, or, if you "
                "trust this one, load it with diffusers and save it with save_pretrained."
            )


def _what_it_is(names: Iterable[str]) -> str:
    if "config.json" in names:
        return "Its config.json belongs to a single model, e.g. of transformers; name the folder of a whole pipeline."
    if any(name.endswith((".safetensors", ".ckpt")) for name in names):
        return (
            "It seems to hold a checkpoint in a single file; load that with diffusers' from_single_file and save it "
            "as a folder with save_pretrained."
        )
    return "Name the folder that save_pretrained wrote, or a hub id."


def _check_room(model: str, needed_bytes: int) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    existing = next(folder for folder in (cache, *cache.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    if needed_bytes > free:
        raise DiskSpaceError(
            f"the model {model} takes {needed_bytes / 1e9:.1f} GB to download, and {existing} has {free / 1e9:.1f} GB "
            "free; make room, or set HF_HUB_CACHE to a folder on a larger disk."
        )


def _check_it_draws_without_a_mask(model: str, revision: str, mode: Mode) -> None:
    unet = read_model_file(model, revision, "unet/config.json") or {}
    if unet.get("in_channels", 0) != unet.get("out_channels", 0):
        raise ParameterError(
            f"{model} was made for inpainting alone: its unet sees a mask beside the picture. Choose another "
            f"synthesis.generator for {mode}, e.g. sd15."
        )
