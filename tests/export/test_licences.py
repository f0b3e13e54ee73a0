import json

import pytest
from export.export_cases import (
    GENERATOR,
    GENERATORS,
    LICENCES,
    PHOTOS,
    SCORER,
    calibration,
    image_options,
    references,
    synthetic_image_set,
)

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.errors import LicenceError
from diffaug_pipeline.export.licences import Ingredient, check_licences, find_ingredients
from diffaug_pipeline.export.options import Licences
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.adapters import write_adapters
from diffaug_pipeline.synthesis.options import Adapter


@pytest.fixture
def no_references(tmp_path) -> Checkpoint:
    return references(tmp_path / "none")


def ingredients(images: ImageSet, networks: Checkpoint, licences: Licences = LICENCES) -> list[Ingredient]:
    return find_ingredients(images, PHOTOS, calibration(), networks, GENERATORS, licences)


def images_of(tmp_path, **columns) -> ImageSet:
    return synthetic_image_set(tmp_path, ["cat", "dog"], "label", **columns)


def scenes_of(tmp_path, **columns) -> ImageSet:
    return synthetic_image_set(tmp_path, [[], []], "boxes", **columns)


def test_real_images_generator_and_scorer_are_named_with_revision_and_licence(tmp_path, no_references):
    found = ingredients(images_of(tmp_path), no_references)
    assert [(one.role, one.name, one.revision, one.terms) for one in found] == [
        ("real images", PHOTOS, None, "CC-BY-4.0"),
        ("generator", GENERATOR, "abc123", GENERATORS.choose("mine").licence),
        ("scorer of the filter", SCORER, "def456", "Apache-2.0"),
    ]


def test_adapters_need_licences_of_their_own(tmp_path, no_references):
    adapters = [Adapter(model="someone/style", revision="ffff", weight_name=None, scale=1.0)]
    found = ingredients(images_of(tmp_path, adapters=write_adapters(adapters)), no_references)
    assert [(one.role, one.name, one.revision, one.terms) for one in found[2:3]] == [
        (f"adapter of {GENERATOR}", "someone/style", "ffff", "unknown")
    ]


@pytest.mark.parametrize(
    ("strategy", "labeller", "named"),
    [
        ("composition", "some/matting", [("matting", "some/matting", "5e6")]),
        ("composition", None, []),
        ("pseudo_labelling", "some/detector", [("detector that says the boxes", "some/detector", "5e6")]),
        ("pseudo_labelling", "references", []),
        ("background_inpainting", None, []),
    ],
)
def test_models_that_cut_out_or_label_are_named_as_the_images_name_them(
    tmp_path, no_references, strategy, labeller, named
):
    scenes = scenes_of(tmp_path, strategy=strategy, labeller=labeller, labeller_revision=labeller and "5e6")
    found = ingredients(scenes, no_references)
    assert [(one.role, one.name, one.revision) for one in found[2:-1]] == named


@pytest.mark.parametrize(
    ("make_images", "config", "named"),
    [
        (images_of, {"architecture": "resnet18", "weights": None}, []),
        (images_of, {"architecture": "resnet18", "weights": "DEFAULT"}, ["torchvision:resnet18"]),
        (scenes_of, {"architecture": "yolo11n", "weights": None}, ["ultralytics"]),
        (scenes_of, {"architecture": "yolo11n", "weights": "/my/yolo11n.pt"}, ["ultralytics", "/my/yolo11n.pt"]),
    ],
)
def test_networks_that_judge_or_label_are_named_with_what_they_start_from(tmp_path, make_images, config, named):
    found = ingredients(make_images(tmp_path), references(tmp_path, **config))
    assert [one.name for one in found[2:-1]] == named
    if named:
        with pytest.raises(LicenceError, match=rf"{named[-1]} \(.*\), licence unknown"):
            check_licences(found, image_options(intended_use="commercial"))


def test_research_may_use_everything(tmp_path, no_references):
    check_licences(ingredients(images_of(tmp_path), no_references, Licences({})), image_options())


def test_commercial_use_may_use_what_allows_it(tmp_path, no_references):
    check_licences(ingredients(images_of(tmp_path), no_references), image_options(intended_use="commercial"))


@pytest.mark.parametrize(("role", "name"), [("generator", GENERATOR), ("scorer of the filter", SCORER)])
def test_commercial_use_is_refused_with_name_licence_and_way_out(tmp_path, no_references, role, name):
    forbidding = Licences({**LICENCES.root, name: {"licence": "CC-BY-NC-4.0", "commercial_use": False}})
    found = ingredients(images_of(tmp_path), no_references, forbidding)
    with pytest.raises(LicenceError) as caught:
        check_licences(found, image_options(intended_use="commercial"))
    assert f"{name} ({role}), licence CC-BY-NC-4.0. Make the images with others" in str(caught.value)
    example = json.loads(str(caught.value).partition("e.g. licences: ")[2])
    assert Licences(example).root[name].commercial_use


def test_what_nobody_has_declared_is_unknown_and_refused(tmp_path, no_references):
    found = ingredients(images_of(tmp_path, model="someone/other"), no_references, Licences({}))
    with pytest.raises(LicenceError, match=r"someone/other \(generator\), licence unknown; .*, licence unknown\. Make"):
        check_licences(found, image_options(intended_use="commercial"))
