"""Model folders that are damaged or hostile are refused in one sentence, and nothing in them is executed.

One in four ways to spoil a model; all of them with `DIFFAUG_FAULTS=full`.
"""

import json
import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest
import torch
from factories import generator_preset, real_image_set
from faults.model_damages import (
    CANARY,
    CONFIGS,
    DAMAGES,
    EVIL,
    Payload,
    a_pickle_called_safetensors,
    a_pickle_in_its_place,
    change_json,
    config_with_code,
    empty,
    of_another_model,
    truncated,
    weights_of,
)
from faults.scale import FULL
from models import save_tiny_clip, save_tiny_dino, save_tiny_generator, save_tiny_grounding_dino, save_tiny_owl
from safetensors.torch import save_file

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.prediction import predict
from diffaug_pipeline.classification.resnet import build_resnet
from diffaug_pipeline.detection.yolo import build_yolo, start_from
from diffaug_pipeline.errors import ModelFolderError, ParameterError
from diffaug_pipeline.features.encoder import load_encoder
from diffaug_pipeline.labelling.open_vocabulary import OpenVocabularyDetector
from diffaug_pipeline.synthesis.checks import check_generator
from diffaug_pipeline.synthesis.loading import load_pipeline
from diffaug_pipeline.synthesis.models import model_revision
from diffaug_pipeline.synthesis.options import Adapter

REFUSED = (ModelFolderError, ParameterError)


def load_generator(folder: Path) -> None:
    preset = generator_preset(str(folder))
    check_generator(preset, "text_to_image")
    load_pipeline(preset, "float32", "cpu", model_revision(preset.model, None))


def load_as_encoder(folder: Path) -> None:
    load_encoder(str(folder), None, "cpu")


def load_as_detector(folder: Path) -> None:
    OpenVocabularyDetector(str(folder), None, ["bag"], "cpu")


LOADERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], None]]] = {
    "generator": (save_tiny_generator, load_generator),
    "scorer": (save_tiny_clip, load_as_encoder),
    "measure": (save_tiny_dino, load_as_encoder),
    "OWLv2": (save_tiny_owl, load_as_detector),
    "Grounding DINO": (save_tiny_grounding_dino, load_as_detector),
}


@pytest.fixture(scope="module")
def whole_models(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {name: save(folder / name.replace(" ", "_")) for name, (save, _) in LOADERS.items()}


@pytest.fixture(autouse=True)
def forget_revisions() -> None:
    model_revision.cache_clear()


@pytest.fixture
def copied(whole_models, tmp_path) -> Callable[[str], Path]:
    return lambda kind: Path(shutil.copytree(whole_models[kind], tmp_path / "model"))


def is_one_sentence(error: BaseException) -> bool:
    return 20 < len(str(error)) < 700 and "Traceback" not in str(error) and "\n" not in str(error)


ALL_WAYS = list(product(LOADERS, [*DAMAGES, *CONFIGS]))


@pytest.mark.parametrize(("kind", "damage"), ALL_WAYS if FULL else ALL_WAYS[::4])
def test_a_damaged_or_hostile_model_is_refused(copied, kind, damage):
    folder = copied(kind)
    damage(folder)
    with pytest.raises(REFUSED) as refusal:
        LOADERS[kind][1](folder)
    assert is_one_sentence(refusal.value)
    assert str(folder) in str(refusal.value)
    assert list(folder.parent.rglob(CANARY)) == []


@pytest.mark.parametrize("kind", LOADERS)
def test_what_is_whole_loads_and_a_pickle_beside_it_stays_closed(copied, kind):
    folder = copied(kind)
    file = weights_of(folder)
    for name in ("pytorch_model.bin", "diffusion_pytorch_model.bin", "model.ckpt", "model.pt", "training_args.bin"):
        torch.save({"a": Payload(folder / CANARY)}, file.with_name(name))
    (folder / "evil.py").write_text(EVIL)
    (folder / "__init__.py").write_text(EVIL)
    (folder / "tokenizer.py").write_text(EVIL)
    LOADERS[kind][1](folder)
    assert list(folder.parent.rglob(CANARY)) == []


def tokenizer_with_code(folder: Path) -> None:
    (folder / "evil.py").write_text(EVIL)
    auto_map = {"AutoTokenizer": ["evil.Evil", "evil.Evil"], "AutoProcessor": "evil.Evil"}
    for file in folder.rglob("*_config.json"):
        change_json(file, tokenizer_class="Evil", auto_map=auto_map)


@pytest.mark.parametrize("plant", [config_with_code, tokenizer_with_code])
@pytest.mark.parametrize("kind", LOADERS)
def test_code_in_a_model_folder_is_not_run(copied, kind, plant):
    folder = copied(kind)
    plant(folder)
    with suppress(ModelFolderError):
        LOADERS[kind][1](folder)
    assert list(folder.parent.rglob(CANARY)) == []


@pytest.mark.parametrize(
    "index",
    [
        {"_class_name": "Evil"},
        {"_class_name": ["evil", "Evil"]},
        {"_class_name": "evil"},
        {"_class_name": None},
        {"unet": ["evil", "Evil"]},
        {"unet": ["os", "system"]},
        {"unet": ["..", "evil"]},
        {"unet": None},
        {"unet": "evil"},
        {"scheduler": ["subprocess", "Popen"]},
    ],
    ids=str,
)
def test_a_pipeline_with_classes_of_its_own_is_not_run(copied, index):
    folder = copied("generator")
    for place in (folder, folder / "unet"):
        for name in ("evil.py", "pipeline.py", "Evil.py"):
            (place / name).write_text(EVIL)
    change_json(folder / "model_index.json", **index)
    with pytest.raises(REFUSED) as refusal:
        load_generator(folder)
    assert is_one_sentence(refusal.value)
    assert list(folder.parent.rglob(CANARY)) == []


@pytest.mark.parametrize("name", ["lora.bin", "lora.pt", "lora.ckpt", "lora.safetensors"])
def test_an_adapter_that_is_a_pickle_is_refused(copied, tmp_path, name):
    folder = copied("generator")
    torch.save({"a": Payload(tmp_path / CANARY)}, tmp_path / name)
    adapter = Adapter(model=str(tmp_path / name), revision=None, weight_name=None, scale=1.0)
    with pytest.raises(ModelFolderError) as refusal:
        check_generator(generator_preset(str(folder), adapters=[adapter]), "text_to_image")
    assert is_one_sentence(refusal.value)
    assert not (tmp_path / CANARY).exists()


def save_weights(model: torch.nn.Module, file: Path) -> None:
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, file)


def yolo_folder(folder: Path) -> Path:
    folder.mkdir()
    save_weights(build_yolo("yolo11n", ["bag"]), folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage is not a_pickle_in_its_place])
def test_damaged_weights_of_a_detector_or_classifier_are_refused(tmp_path, damage):
    folder = yolo_folder(tmp_path / "model")
    damage(folder)
    for load in (
        lambda: start_from(build_yolo("yolo11n", ["bag"]), str(folder)),
        lambda: build_resnet("resnet18", str(folder / "model.safetensors"), 2),
    ):
        with pytest.raises(ModelFolderError) as refusal:
            load()
        assert is_one_sentence(refusal.value)
    assert list(tmp_path.rglob(CANARY)) == []


def test_weights_in_a_pickle_are_only_read_where_the_user_names_the_file(tmp_path):
    folder = yolo_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    torch.save({"model": Payload(tmp_path / CANARY)}, folder / "model.pt")
    with pytest.raises(ModelFolderError, match="do not exist"):
        start_from(build_yolo("yolo11n", ["bag"]), str(folder))
    assert not (tmp_path / CANARY).exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(50), pickle.dumps({"a": 1}), pickle.dumps([])], ids=len)
def test_a_named_pickle_that_is_no_network_is_refused(tmp_path, content):
    (tmp_path / "yolo.pt").write_bytes(content)
    with pytest.raises(ModelFolderError) as refusal:
        start_from(build_yolo("yolo11n", ["bag"]), str(tmp_path / "yolo.pt"))
    assert is_one_sentence(refusal.value)


@pytest.mark.parametrize("damage", [truncated, empty, a_pickle_called_safetensors, of_another_model])
def test_a_damaged_checkpoint_of_our_own_is_refused(tmp_path, damage):
    folder = tmp_path / "checkpoint"
    (folder / "seed_0").mkdir(parents=True)
    config = {"architecture": "resnet18", "class_names": ["cat", "dog"], "input_size_px": 32, "fit": "contain"}
    (folder / "config.json").write_text(json.dumps(config))
    save_weights(build_resnet("resnet18", None, 2), folder / "seed_0" / "model.safetensors")
    images = real_image_set(tmp_path / "images", {"test": 1})
    assert len(predict(Checkpoint(folder), images, "cpu")) == 2
    damage(folder)
    with pytest.raises(ModelFolderError) as refusal:
        predict(Checkpoint(folder), images, "cpu")
    assert is_one_sentence(refusal.value)
    assert list(tmp_path.rglob(CANARY)) == []


def test_a_checkpoint_whose_description_is_damaged_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"architecture": ')
    with pytest.raises(ModelFolderError, match=r"config\.json is damaged"):
        Checkpoint(tmp_path).read_json("config.json")
    with pytest.raises(ModelFolderError, match=r"training\.json cannot be read"):
        Checkpoint(tmp_path).read_json("training.json")
