"""Models that the parameters choose: on this machine, whole and safe to load, or still to be downloaded."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.errors import HubUnreachableError, ModelFolderError
from diffaug_pipeline.features.encoder import check_scorer, load_encoder
from diffaug_pipeline.features.options import EncoderOptions, FeatureOptions
from diffaug_pipeline.history.tables import show_bytes
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.synthesis import hub
from diffaug_pipeline.synthesis.adapters import adapter_file
from diffaug_pipeline.synthesis.checks import check_generator, check_safetensors
from diffaug_pipeline.synthesis.hardware import choose_dtype
from diffaug_pipeline.synthesis.models import locate_model, model_revision, read_model_file
from diffaug_pipeline.synthesis.options import Adapter, GeneratorPreset, Mode, SynthesisOptions

Hub: TypeAlias = Literal["asked", "left alone", "forbidden"]
"""Whether the hub may be reached: now, by runs alone, or never (`HF_HUB_OFFLINE`)."""
TO_DOWNLOAD = {
    "asked": "the first run downloads it.",
    "left alone": "the first run downloads it; `kedro doctor --online` asks the hub whether it can be had.",
    "forbidden": "unset HF_HUB_OFFLINE for one run, or name a folder.",
}
CLASS_NAME = "object"
"""What detectors are asked for when they are only tried out."""


@dataclass(frozen=True)
class ChosenModel:
    """A model folder or a hub repository that a parameter names."""

    name: str
    revision: str | None
    check: Callable[[], None]
    """Raises what can be known to be wrong without loading it; `HubUnreachableError` if it is not on this machine."""
    load: Callable[[], object]


def chosen_generator(synthesis: SynthesisOptions, preset: GeneratorPreset, mode: Mode) -> ChosenModel:
    """The diffusion model, without adapters unless it is loaded."""
    bare = preset.model_copy(update={"adapters": []})

    def load() -> object:
        from diffaug_pipeline.synthesis.loading import load_pipeline

        revision = model_revision(preset.model, preset.revision)
        return load_pipeline(preset, choose_dtype(synthesis, preset), choose_device(synthesis.device), revision)

    return ChosenModel(preset.model, preset.revision, partial(check_generator, bare, mode), load)


def chosen_encoders(features: FeatureOptions) -> dict[str, ChosenModel]:
    """Scorer and measure, by the name of the parameter."""
    encoders: dict[str, EncoderOptions | None] = {"scorer": features.scorer, "measure": features.measure}
    return {
        name: ChosenModel(
            encoder.model,
            encoder.revision,
            partial(_check_encoder, encoder, name == "scorer"),
            partial(_load_encoder, encoder, features.device),
        )
        for name, encoder in encoders.items()
        if encoder is not None
    }


def chosen_labeller(labelling: LabellingOptions) -> ChosenModel | None:
    """What cuts objects out or finds them, where a model of the hub does."""
    cutting, finding = labelling.composition, labelling.pseudo_labelling
    if labelling.strategy == "composition" and cutting.matting == "clip_segmentation":
        name, revision, load = cutting.matting_model, None, partial(_load_matting, labelling)
    elif labelling.strategy == "pseudo_labelling" and not labelling.needs_references:
        name, revision, load = finding.detector, finding.revision, partial(_load_detector, labelling)
    else:
        return None
    return ChosenModel(name, revision, partial(_check_config, name, revision), load)


def check_model(model: ChosenModel, hub_use: Hub, *, load: bool) -> Iterator[Finding]:
    """Whether it is here, whole, and can be loaded if `load` asks for that. Raises what says that it cannot."""
    try:
        model.check()
        folder = find_folder(model.name, model.revision)
    except HubUnreachableError:
        if hub_use == "asked":
            raise
        folder = None
    is_local = locate_model(model.name) is not None
    missing = [] if folder is None else missing_weights(folder)
    if folder is None or (missing and not is_local):
        level = "problem" if hub_use == "forbidden" else "advice"
        how_much = "is not" if folder is None else "is only in part"
        yield Finding(level, f"{model.name} {how_much} on this machine", TO_DOWNLOAD[hub_use])
        return
    if missing:
        raise ModelFolderError(f"{folder} lacks {', '.join(missing)}; copy or download it again.")
    for file in folder.rglob("*.safetensors"):
        check_safetensors(file)
    if load:
        model.load()
    loaded = ", loaded" if load else ""
    yield Finding("ok", f"{model.name}, {show_bytes(weights_bytes(folder))} of safetensors{loaded}")


def check_adapter(adapter: Adapter, hub_use: Hub) -> Iterator[Finding]:
    """Whether a LoRA adapter is here and whole; it is loaded with its generator."""
    try:
        file = adapter_file(adapter)
    except HubUnreachableError:
        if hub_use == "asked":
            raise
        level = "problem" if hub_use == "forbidden" else "advice"
        yield Finding(level, f"{adapter.model} is not on this machine", TO_DOWNLOAD[hub_use])
        return
    check_safetensors(file)
    yield Finding("ok", f"{adapter.model}, {show_bytes(file.stat().st_size)} of safetensors")


def find_folder(name: str, revision: str | None) -> Path | None:
    """Of an embedded or local model, or of what the local cache holds of a hub repository; else None."""
    return locate_model(name) or hub.cached_snapshot(name, revision)


def weights_bytes(folder: Path) -> int:
    """Of all safetensors below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def missing_weights(folder: Path) -> list[str]:
    """Files of weights that a model folder ought to hold: of each part of it, and each shard of a part."""
    missing = []
    for part in [folder] if (folder / "config.json").is_file() else sorted(folder.iterdir()):
        indexes = list(part.glob("*.safetensors.index*.json"))
        shards = {shard for index in indexes for shard in json.loads(index.read_text())["weight_map"].values()}
        missing += [f"{part.name}/{shard}" for shard in sorted(shards) if not (part / shard).is_file()]
        if (part / "config.json").is_file() and not shards and not list(part.glob("*.safetensors")):
            missing.append(f"{part.name}/*.safetensors")
    return missing


def _check_encoder(encoder: EncoderOptions, is_scorer: bool) -> None:
    _check_config(encoder.model, encoder.revision)
    if is_scorer:
        check_scorer(encoder)


def _check_config(name: str, revision: str | None) -> None:
    if read_model_file(name, revision, "config.json") is None:
        raise ModelFolderError(f"{name} has no config.json; name the folder that save_pretrained wrote, or a hub id.")


def _load_encoder(encoder: EncoderOptions, device: str) -> object:
    return load_encoder(encoder.model, encoder.revision, device)


def _load_matting(labelling: LabellingOptions) -> object:
    from diffaug_pipeline.labelling.matting import choose_matting

    return choose_matting(labelling)(Image.new("RGB", (64, 64)), CLASS_NAME)


def _load_detector(labelling: LabellingOptions) -> object:
    from diffaug_pipeline.labelling.open_vocabulary import OpenVocabularyDetector

    finding = labelling.pseudo_labelling
    return OpenVocabularyDetector(finding.detector, finding.revision, [CLASS_NAME], labelling.device)
