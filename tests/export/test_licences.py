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
    synthetic_image_set,
)
from factories import labelling_options, real_image_set

from diffaug_pipeline.errors import LicenceError, ParameterError
from diffaug_pipeline.export.licences import check_licences, find_ingredients
from diffaug_pipeline.export.options import Licences
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.synthesis.adapters import write_adapters
from diffaug_pipeline.synthesis.options import Adapter


def ingredients(images: ImageSet, labelling: LabellingOptions | None = None, licences: Licences = LICENCES, **changes):
    return find_ingredients(images, PHOTOS, calibration(**changes), labelling, GENERATORS, licences)


def images_of(tmp_path, **columns) -> ImageSet:
    return synthetic_image_set(tmp_path, ["cat", "dog"], "label", **columns)


def scenes_of(tmp_path, strategy: str) -> ImageSet:
    return synthetic_image_set(tmp_path, [[], []], "boxes", strategy=strategy)


def test_generator_and_scorer_are_named_with_revision_and_licence(tmp_path):
    named = [(one.role, one.name, one.revision, one.terms) for one in ingredients(images_of(tmp_path))]
    assert named == [
        ("generator", GENERATOR, "abc123", GENERATORS.choose("mine").licence),
        ("scorer of the filter", SCORER, "def456", "Apache-2.0"),
    ]


def test_real_images_count_where_they_are_contained_or_drawn_over(tmp_path):
    real = real_image_set(tmp_path / "real", {"train": 1})
    real = ImageSet(real.index.assign(source_image_id=None, model=None, model_revision=None, adapters=None))
    for images in (real, images_of(tmp_path / "drawn over", source_image_id="cat/train/0")):
        assert (ingredients(images)[0].name, ingredients(images)[0].terms) == (PHOTOS, "CC-BY-4.0")


def test_adapters_need_licences_of_their_own(tmp_path):
    adapters = [Adapter(model="someone/style", revision="ffff", weight_name=None, scale=1.0)]
    found = ingredients(images_of(tmp_path, adapters=write_adapters(adapters)))
    assert [(one.role, one.name, one.revision, one.terms) for one in found[1:2]] == [
        (f"adapter of {GENERATOR}", "someone/style", "ffff", "unknown")
    ]


@pytest.mark.parametrize(
    ("strategy", "changes", "named"),
    [
        (
            "composition",
            {"composition": {"matting": "clip_segmentation", "matting_model": "some/matting"}},
            "some/matting",
        ),
        ("pseudo_labelling", {"pseudo_labelling": {"detector": "some/detector"}}, "some/detector"),
        ("pseudo_labelling", {"pseudo_labelling": {"detector": "references"}}, "ultralytics"),
        ("background_inpainting", {}, None),
    ],
)
def test_models_that_cut_out_or_label_are_named(tmp_path, strategy, changes, named):
    blocks = labelling_options(strategy=strategy).model_dump()
    labelling = LabellingOptions(**{**blocks, **{name: blocks[name] | block for name, block in changes.items()}})
    found = ingredients(scenes_of(tmp_path, strategy), labelling)
    assert [one.name for one in found[1:-1]] == ([named] if named else [])


def test_detectors_that_the_filter_asks_are_named(tmp_path):
    rules = {"blank": {}, "undeclared_objects": {}}
    assert ingredients(images_of(tmp_path), rules=rules)[-1].name == "ultralytics"


def test_other_label_strategies_than_that_of_the_scenes_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="but the scenes to export were made with pseudo_labelling"):
        ingredients(scenes_of(tmp_path, "pseudo_labelling"), labelling_options(strategy="composition"))


def test_research_may_use_everything(tmp_path):
    check_licences(ingredients(images_of(tmp_path), licences=Licences({})), image_options())


def test_commercial_use_may_use_what_allows_it(tmp_path):
    check_licences(ingredients(images_of(tmp_path)), image_options(intended_use="commercial"))


@pytest.mark.parametrize(("role", "name"), [("generator", GENERATOR), ("scorer of the filter", SCORER)])
def test_commercial_use_is_refused_with_name_licence_and_way_out(tmp_path, role, name):
    forbidding = Licences({**LICENCES.root, name: {"licence": "CC-BY-NC-4.0", "commercial_use": False}})
    found = ingredients(images_of(tmp_path), licences=forbidding)
    with pytest.raises(LicenceError) as caught:
        check_licences(found, image_options(intended_use="commercial"))
    assert f"{name} ({role}), licence CC-BY-NC-4.0. Make the images with others" in str(caught.value)
    example = json.loads(str(caught.value).partition("e.g. licences: ")[2])
    assert Licences(example).root[name].commercial_use


def test_what_nobody_has_declared_is_unknown_and_refused(tmp_path):
    found = ingredients(images_of(tmp_path, model="someone/other"), licences=Licences({}))
    with pytest.raises(LicenceError, match=r"someone/other \(generator\), licence unknown; .*, licence unknown\. Make"):
        check_licences(found, image_options(intended_use="commercial"))
