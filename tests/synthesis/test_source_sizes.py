"""Pictures of any size and mode go into image-to-image and, if asked, come back at their own size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import generator_preset, real_image_set, rehashed, smooth_image, synthesis_options
from kedro.io import Version
from PIL import Image
from pydantic import ValidationError

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import open_image
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.generator import Generator
from diffaug_pipeline.synthesis.synthesize import synthesize

VOCABULARIES = Vocabularies({"plain": {"templates": ["a photo of a {class_name}"], "axes": {}, "negative_prompt": ""}})
FITS = ("cover", "contain", "stretch")
SOURCES = [
    ((317, 211), "RGB"),
    ((13, 900), "L"),
    ((1, 1), "RGBA"),
    ((64, 20), "P"),
    ((30, 50), "RGBA"),
    ((900, 13), "P"),
    ((1, 1), "L"),
    ((16, 16), "RGB"),
]
"""Size and mode of eight pictures."""
MODEL_PX = (16, 16)


@pytest.fixture
def sources(tmp_path: Path) -> ImageSet:
    images = real_image_set(tmp_path / "sources", {"train": 4})
    for path, (size, mode) in zip(images.index["path"], SOURCES, strict=True):
        smooth_image(path[-12:], size).convert(mode).save(path)
    sizes = pd.DataFrame([size for size, _ in SOURCES], columns=["width_px", "height_px"])
    return ImageSet(rehashed(images).index.assign(**sizes))


def planned(sources: ImageSet, model: Path, **changes) -> tuple[pd.DataFrame, dict]:
    """A plan with an image from each source, and what else synthesis takes."""
    preset = generator_preset(str(model))
    options = synthesis_options(**{"mode": "image_to_image", "images_per_class": 4, "batch_size": 8} | changes)
    plan = plan_synthesis(sources, PromptOptions(vocabulary=None, wording={}), options, preset, VOCABULARIES)
    assert plan["source_image_id"].is_unique
    return plan, {"real_images": sources, "options": options, "preset": preset}


def made_from(sources: ImageSet, model: Path, **changes) -> dict[str, Image.Image]:
    """The picture made from each source."""
    plan, given = planned(sources, model, **changes)
    generator = Generator(given["preset"], given["options"], sources, plan["model_revision"].iloc[0])
    made = [open_image(image.content) for image in generator.make_images(plan)]
    return dict(zip(plan["source_image_id"], made, strict=True))


@pytest.mark.parametrize("fit", FITS)
def test_the_model_gets_every_source_at_its_own_size(tiny_generator, sources, fit):
    made = made_from(sources, tiny_generator, fit=fit)
    assert [picture.size for picture in made.values()] == [MODEL_PX] * len(SOURCES)
    assert len({picture.tobytes() for picture in made.values()}) == len(SOURCES)


@pytest.mark.parametrize("fit", FITS)
def test_pictures_come_back_at_the_sizes_of_their_sources(tiny_generator, sources, fit):
    given, back = (made_from(sources, tiny_generator, fit=fit, output_size=size) for size in ("model", "source"))
    for image_id, picture in back.items():
        source = sources.read(image_id)
        assert picture.size == source.size
        np.testing.assert_array_equal(picture, by_hand(source, given[image_id], fit))


def by_hand(source: Image.Image, made: Image.Image, fit: str) -> Image.Image:
    """What 16 x 16 pixels look like back in the place of a source whose sides are 1 to 900 pixels long."""
    width, height = source.size
    if fit == "stretch":
        return made.resize(source.size, Image.Resampling.LANCZOS)
    if fit == "contain":
        shown = max(1, round(16 * width / max(width, height))), max(1, round(16 * height / max(width, height)))
        left, top = (16 - shown[0]) // 2, (16 - shown[1]) // 2
        return made.crop((left, top, left + shown[0], top + shown[1])).resize(source.size, Image.Resampling.LANCZOS)
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    whole = [int(np.ceil(left)), int(np.ceil(top)), int(np.floor(left + side)), int(np.floor(top + side))]
    box = tuple((edge - start) * 16 / side for edge, start in zip(whole, (left, top, left, top), strict=True))
    piece = made.resize((whole[2] - whole[0], whole[3] - whole[1]), Image.Resampling.LANCZOS, box=box)
    result = source.copy()
    result.paste(piece, whole[:2])
    return result


@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_what_the_model_sees_is_not_distorted(tiny_generator, tmp_path, fit, monkeypatch):
    images = real_image_set(tmp_path / "sources", {"train": 1})
    for path, size in zip(images.index["path"], [(317, 211), (211, 640)], strict=True):
        scene = Image.new("RGB", size)
        scene.paste("white", (size[0] // 2 - 40, size[1] // 2 - 40, size[0] // 2 + 40, size[1] // 2 + 40))
        scene.save(path)
    images = rehashed(images)
    plan, given = planned(images, tiny_generator, fit=fit, images_per_class=1)
    generator = Generator(given["preset"], given["options"], images, plan["model_revision"].iloc[0])
    shown = []
    preprocess = generator.image_to_image.image_processor.preprocess
    monkeypatch.setattr(
        generator.image_to_image.image_processor,
        "preprocess",
        lambda pictures, *a, **k: shown.extend(pictures) or preprocess(pictures, *a, **k),
    )
    generator.make_images(plan.assign(width_px=64, height_px=64))
    assert len(shown) == 2
    for picture in shown:
        light = np.asarray(picture.convert("L")).astype(float) / 255
        width, height = light.sum(1).max(), light.sum(0).max()
        assert width == pytest.approx(height, abs=0.6)
        assert width > 7


def test_the_index_has_the_sizes_of_the_files(tiny_generator, sources, tmp_path):
    plan, given = planned(sources, tiny_generator, output_size="source")
    assert set(plan["width_px"]) == {16}
    dataset = ImageSetDataset(filepath=str(tmp_path / "images"), version=Version("v1", "v1"))
    dataset.save(synthesize(plan, **given))
    index = dataset.load().index.merge(sources.index, left_on="source_image_id", right_on="image_id")
    assert index["width_px_x"].tolist() == index["width_px_y"].tolist()
    assert index["height_px_x"].tolist() == index["height_px_y"].tolist()


def test_the_size_asked_for_belongs_to_the_recipe_and_to_the_plan(tiny_generator, sources):
    at_model_size, given = planned(sources, tiny_generator)
    at_source_size, _ = planned(sources, tiny_generator, output_size="source")
    assert set(at_model_size["recipe"]).isdisjoint(at_source_size["recipe"])
    with pytest.raises(VersionError, match="made for output_size source, the parameters say model"):
        synthesize(at_source_size, **given)


@pytest.mark.parametrize(
    ("mode", "named"), [("text_to_image", "text_to_image"), ("inpainting", "inpainting"), (None, "null")]
)
def test_pictures_without_a_source_have_no_size_to_come_back_to(mode, named):
    with pytest.raises(ValidationError, match=f"output_size is source, but pictures of mode {named} are not as large"):
        synthesis_options(mode=mode, output_size="source")
