import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from factories import generator_preset, labelling_options, synthesis_options
from huggingface_hub import constants
from models import save_tiny_dino

from diffaug_pipeline.doctor.models import (
    ChosenModel,
    Hub,
    check_adapter,
    check_model,
    chosen_encoders,
    chosen_generator,
    chosen_labeller,
    missing_weights,
)
from diffaug_pipeline.errors import HubUnreachableError, ModelFolderError, ParameterError
from diffaug_pipeline.synthesis.options import Adapter

HUB_ID = "owner/clip"


@pytest.fixture
def encoders(opened) -> Callable[..., dict[str, ChosenModel]]:
    """What is chosen where scorer and measure are other models than those that are shipped."""
    features = opened.parameters("params:classification.features")

    def choose(scorer: Path | str, measure: Path | str | None = None) -> dict[str, ChosenModel]:
        chosen = {"scorer": features.scorer.model_copy(update={"model": str(scorer)}), "measure": None}
        if measure is not None:
            chosen["measure"] = features.measure.model_copy(update={"model": str(measure)})
        return chosen_encoders(features.model_copy(update=chosen))

    return choose


def levels(model: ChosenModel, hub_use: Hub = "left alone", *, load: bool = False) -> list[str]:
    return [finding.level for finding in check_model(model, hub_use, load=load)]


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def copy_to_cache(cache: Path, folder: Path) -> Path:
    repository, commit = cache / "models--owner--clip", "0" * 40
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    return repository / "snapshots" / commit


def test_a_whole_folder_is_fine_and_loads(encoders, tiny_clip):
    (finding,) = check_model(encoders(tiny_clip)["scorer"], "left alone", load=True)
    assert finding.level == "ok"
    assert finding.says.startswith(f"{tiny_clip}, ")
    assert finding.says.endswith("of safetensors, loaded")


def test_a_generator_is_checked_for_its_mode_and_loads(tiny_generator):
    chosen = chosen_generator(synthesis_options(), generator_preset(str(tiny_generator)), "text_to_image")
    assert levels(chosen, load=True) == ["ok"]
    assert chosen.load().unet.config.sample_size > 0


def test_a_file_that_was_cut_off_is_named(encoders, tiny_clip, tmp_path):
    folder = shutil.copytree(tiny_clip, tmp_path / "clip")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelFolderError, match=r"model\.safetensors is damaged"):
        levels(encoders(folder)["scorer"])


def test_what_is_of_another_kind_shows_when_it_is_loaded(encoders, tiny_clip, tmp_path):
    folder = shutil.copytree(tiny_clip, tmp_path / "clip")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "no such model"}))
    assert levels(encoders(folder)["scorer"]) == ["ok"]
    with pytest.raises(ModelFolderError, match="cannot be loaded"):
        levels(encoders(folder)["scorer"], load=True)


def test_a_scorer_that_cannot_be_asked_is_refused_and_will_do_as_measure(encoders, tiny_clip, tmp_path):
    dino = save_tiny_dino(tmp_path)
    with pytest.raises(ParameterError, match="has no text tower"):
        levels(encoders(dino)["scorer"])
    assert levels(encoders(tiny_clip, dino)["measure"]) == ["ok"]


def test_missing_parts_and_shards_are_named(tiny_generator, tmp_path):
    folder = shutil.copytree(tiny_generator, tmp_path / "generator")
    assert missing_weights(folder) == []
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}
    (folder / "text_encoder" / "model.safetensors.index.json").write_text(json.dumps(index))
    assert missing_weights(folder) == [
        "text_encoder/model-1.safetensors",
        "text_encoder/model-2.safetensors",
        "unet/*.safetensors",
    ]
    chosen = chosen_generator(synthesis_options(), generator_preset(str(folder)), "text_to_image")
    with pytest.raises(ModelFolderError, match=r"lacks text_encoder/model-1\.safetensors, .*copy or download it again"):
        levels(chosen)


@pytest.mark.parametrize(
    ("hub_use", "level", "advice"),
    [
        ("left alone", "advice", "`kedro doctor --online` asks the hub"),
        ("forbidden", "problem", "unset HF_HUB_OFFLINE"),
    ],
)
def test_a_model_of_the_hub_that_is_not_here_is_still_to_be_downloaded(encoders, cache, hub_use, level, advice):
    (finding,) = check_model(encoders(HUB_ID)["scorer"], hub_use, load=True)
    assert (finding.level, finding.says) == (level, "owner/clip is not on this machine")
    assert advice in finding.advice


def test_asked_for_a_model_the_hub_has_it_or_cannot_be_reached(encoders, cache):
    with pytest.raises(HubUnreachableError, match="the hub cannot be reached for the model owner/clip"):
        levels(encoders(HUB_ID)["scorer"], "asked")
    there = ChosenModel(HUB_ID, None, check=lambda: None, load=lambda: None)
    (finding,) = check_model(there, "asked", load=True)
    assert (finding.level, finding.advice) == ("advice", "the first run downloads it.")


def test_a_model_in_the_cache_is_checked_there(encoders, cache, tiny_clip):
    snapshot = copy_to_cache(cache, tiny_clip)
    assert levels(encoders(HUB_ID)["scorer"], "forbidden") == ["ok"]
    (snapshot / "model.safetensors").unlink()
    (finding,) = check_model(encoders(HUB_ID)["scorer"], "left alone", load=False)
    assert (finding.level, finding.says) == ("advice", "owner/clip is only in part on this machine")


def test_a_folder_that_does_not_exist_is_no_hub_model(encoders, tmp_path):
    with pytest.raises(ModelFolderError, match="does not exist; name a folder or a hub id"):
        levels(encoders(tmp_path / "gone")["scorer"])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"strategy": "composition"}, None),
        ({"strategy": "pseudo_labelling"}, "detector"),
        ({"strategy": "background_inpainting"}, None),
    ],
)
def test_only_models_that_label_are_looked_at(changes, name):
    options = labelling_options(**changes)
    chosen = chosen_labeller(options)
    assert (chosen and chosen.name) == (name and options.pseudo_labelling.detector)


def test_a_detector_that_is_asked_in_words_is_loaded(tiny_owl):
    options = labelling_options(strategy="pseudo_labelling")
    finding = options.pseudo_labelling.model_copy(update={"detector": str(tiny_owl)})
    chosen = chosen_labeller(options.model_copy(update={"pseudo_labelling": finding}))
    assert levels(chosen, load=True) == ["ok"]


def test_an_adapter_is_here_whole_or_still_to_be_downloaded(cache, tiny_clip, tmp_path):
    adapter = Adapter(model=str(tiny_clip / "model.safetensors"), revision=None, weight_name=None, scale=1)
    assert [finding.level for finding in check_adapter(adapter, "forbidden")] == ["ok"]
    absent = adapter.model_copy(update={"model": "owner/lora"})
    assert [finding.level for finding in check_adapter(absent, "left alone")] == ["advice"]
    assert [finding.level for finding in check_adapter(absent, "forbidden")] == ["problem"]
