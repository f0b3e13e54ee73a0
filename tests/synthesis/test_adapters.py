import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from factories import generator_preset, real_image_set, synthesis_options
from generator_models import save_tiny_lora

from diffaug_pipeline.errors import ModelFolderError, VersionError
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.adapters import adapter_file, pin_adapters, read_adapters, write_adapters
from diffaug_pipeline.synthesis.options import Adapter, GeneratorPreset
from diffaug_pipeline.synthesis.synthesize import synthesize

VOCABULARIES = Vocabularies({"plain": {"templates": ["a {class_name}"], "axes": {}, "negative_prompt": ""}})
PROMPTS = PromptOptions(vocabulary=None, wording={})


def adapter(model, **changes) -> Adapter:
    return Adapter(**{"model": str(model), "revision": None, "weight_name": None, "scale": 1.0} | changes)


@pytest.fixture(scope="module")
def lora(tiny_generator, tmp_path_factory):
    return save_tiny_lora(tmp_path_factory.mktemp("lora"), tiny_generator)


@pytest.fixture
def real(tmp_path):
    return real_image_set(tmp_path, {"train": 1})


def made(real, preset: GeneratorPreset) -> tuple[list[str], np.ndarray]:
    options = synthesis_options(images_per_class=2)
    plan = plan_synthesis(real, PROMPTS, options, preset, VOCABULARIES)
    drawn = synthesize(plan, real, options, preset).make_images(plan)
    return plan["recipe"].tolist(), np.stack([np.asarray(picture.image, dtype=int) for picture in drawn])


def test_an_adapter_changes_pictures_and_recipes_as_far_as_its_scale_says(tiny_generator, lora, real):
    def with_adapters(*adapters):
        return made(real, generator_preset(str(tiny_generator), adapters=list(adapters)))

    recipes, without = with_adapters()
    outcomes = [with_adapters(adapter(lora, scale=scale)) for scale in (0.0, 0.5, 1.0)]
    assert (outcomes[0][1] == without).all()
    half, whole = (np.abs(pictures - without).mean() for _, pictures in outcomes[1:])
    assert 1 < half < whole
    assert len({*recipes, *(recipe for named, _ in outcomes for recipe in named)}) == 4 * len(recipes)


def test_adapters_add_up(tiny_generator, lora, real, tmp_path):
    other = save_tiny_lora(tmp_path / "other", tiny_generator, seed=1)
    alone, both = (
        made(real, generator_preset(str(tiny_generator), adapters=[adapter(folder) for folder in folders]))[1]
        for folders in ([lora], [lora, other])
    )
    assert np.abs(both - alone).mean() > 1


def test_an_adapter_is_named_by_its_content(lora, tmp_path):
    (pinned,) = pin_adapters([adapter(lora)])
    file = shutil.copy(lora / "pytorch_lora_weights.safetensors", tmp_path / "mine.safetensors")
    assert pin_adapters([adapter(file)])[0].revision == pinned.revision
    assert pin_adapters([adapter(tmp_path, weight_name="mine.safetensors")])[0].revision == pinned.revision
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert pin_adapters([adapter(file)])[0].revision != pinned.revision


def test_a_plan_holds_what_its_adapters_were(lora):
    pinned = pin_adapters([adapter(lora, scale=0.7)])
    assert read_adapters(write_adapters(pinned)) == pinned
    assert json.loads(write_adapters(pinned))[0]["scale"] == 0.7
    assert write_adapters([]) is None
    assert read_adapters(float("nan")) == []


def test_a_plan_made_with_other_adapters_is_refused(tiny_generator, lora, real):
    with_it, without = (generator_preset(str(tiny_generator), adapters=adapters) for adapters in ([adapter(lora)], []))
    options = synthesis_options(images_per_class=1)
    plan = plan_synthesis(real, PROMPTS, options, with_it, VOCABULARIES)
    assert len(synthesize(plan, real, options, with_it).plan) == 2
    with pytest.raises(VersionError, match=r"was made for adapters .*, the parameters say None"):
        synthesize(plan, real, options, without)


def test_the_newest_adapter_of_the_hub_is_the_one_that_the_plan_was_made_for(tiny_generator, lora, real, monkeypatch):
    fetched, newest = [], ["a" * 40]

    def fetch(model: str, revision: str, name: str) -> Path:
        fetched.append(revision)
        return lora / name

    monkeypatch.setattr("diffaug_pipeline.synthesis.hub.fetch_file", fetch)
    monkeypatch.setattr("diffaug_pipeline.synthesis.adapters.model_revision", lambda *named: newest[-1])
    options = synthesis_options(images_per_class=1)
    preset = generator_preset(str(tiny_generator), adapters=[adapter("someone/style")])
    plan = plan_synthesis(real, PROMPTS, options, preset, VOCABULARIES)
    newest.append("b" * 40)
    assert len(synthesize(plan, real, options, preset).make_images(plan)) == 2
    assert fetched == ["a" * 40] * 2
    stronger = generator_preset(str(tiny_generator), adapters=[adapter("someone/style", scale=2.0)])
    with pytest.raises(VersionError, match="was made for adapters"):
        synthesize(plan, real, options, stronger)


def test_what_is_no_adapter_is_one_clear_error(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"pickle")
    with pytest.raises(
        ModelFolderError, match=r"has no file pytorch_lora_weights.safetensors; name its .* weight_name"
    ):
        adapter_file(adapter(tmp_path))
    for given in (adapter(tmp_path, weight_name="weights.bin"), adapter(tmp_path / "weights.bin")):
        with pytest.raises(ModelFolderError, match=r"weights.bin is not in safetensors format: other formats can run"):
            adapter_file(given)
    with pytest.raises(ModelFolderError, match="does not exist"):
        adapter_file(adapter(tmp_path / "nowhere.safetensors"))


def test_an_adapter_for_another_model_is_one_clear_error(tiny_generator, lora, real, tmp_path):
    from safetensors.numpy import load_file, save_file

    file = lora / "pytorch_lora_weights.safetensors"
    wider = {name: np.concatenate([tensor, tensor], axis=-1) for name, tensor in load_file(file).items()}
    save_file(wider, tmp_path / "wider.safetensors")
    with pytest.raises(ModelFolderError, match=r"wider.safetensors cannot be loaded \(RuntimeError: .*size mismatch"):
        made(real, generator_preset(str(tiny_generator), adapters=[adapter(tmp_path / "wider.safetensors")]))


@pytest.mark.parametrize("layer", ["unet.elsewhere", "transformer.proj_out"])
def test_an_adapter_for_none_of_the_models_layers_is_one_clear_error(layer, tiny_generator, real, tmp_path):
    from safetensors.numpy import save_file

    weights = {f"{layer}.lora_A.weight": np.ones((2, 4), np.float32)}
    save_file(weights, tmp_path / "other.safetensors")
    with pytest.raises(ModelFolderError, match=r"other.safetensors cannot be loaded"):
        made(real, generator_preset(str(tiny_generator), adapters=[adapter(tmp_path / "other.safetensors")]))
