"""What the filter desk answers, as a visitor asks it."""

import shutil
from pathlib import Path

import gradio as gr
import pytest
from app.desk_cases import RUN, store_run
from filtering.filter_cases import overrides
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.app.desk_handlers import ALL_CLASSES, DIALS, DeskHandlers
from diffaug_pipeline.app.desk_room import DeskRoom
from diffaug_pipeline.project import Project

WHERE = ("classification", RUN)
NOTHING = overrides().as_document()


@pytest.fixture(scope="module", autouse=True)
def bootstrapped(project: Path) -> None:
    bootstrap_project(project)


@pytest.fixture(scope="module")
def handlers(tmp_path_factory, tiny_clip) -> DeskHandlers:
    opened = Project(env="smoke", runtime_params={"data_root": str(tmp_path_factory.mktemp("data"))})
    store_run(opened, "classification", tmp_path_factory.mktemp("images"), tiny_clip)
    return DeskHandlers(DeskRoom(opened))


def show(handlers: DeskHandlers, document: dict, class_name: str = ALL_CLASSES, shown: str = "all") -> tuple:
    return handlers.show(*WHERE, document, class_name, "clip_score", True, shown, 1, None)


def test_the_newest_run_is_opened_with_what_is_saved(handlers):
    task, run, class_name, column, page, document, known, chosen, status = handlers.open()
    assert (task.value, run.value, class_name.value, column.value, page) == (*WHERE, ALL_CLASSES, "clip_score", 1)
    assert [name for name, _ in class_name.choices] == [ALL_CLASSES, "cat", "dog"]
    assert (document, known, chosen, status) == (NOTHING, NOTHING, None, "")


def test_without_runs_that_is_said(tmp_path):
    bare = DeskHandlers(DeskRoom(Project(env="smoke", runtime_params={"data_root": str(tmp_path)})))
    assert "No run has decided about images yet" in bare.open()[-1]
    assert bare.show("classification", None, None, ALL_CLASSES, "clip_score", True, "all", 1, None)[:2] == ("", "")


def test_what_is_decided_and_not_saved_outlives_another_run(handlers):
    asked = handlers.turn("clip_score", "clip_score", *WHERE, NOTHING, ALL_CLASSES, 0.5)
    _, run, *_, document, known, chosen, _ = handlers.open("classification", "a run that is gone", asked)
    assert (run.value, document, known, chosen) == (RUN, asked, gr.skip(), None)


def test_a_run_that_cannot_be_opened_is_named(tmp_path, tiny_clip):
    opened = Project(env="smoke", runtime_params={"data_root": str(tmp_path / "data")})
    store_run(opened, "classification", tmp_path, tiny_clip)
    shutil.rmtree(opened.path("classification.copies", RUN).parent)
    bare = DeskHandlers(DeskRoom(opened))
    _, run, *_, document, known, chosen, status = bare.open()
    assert (run.value, document, known, chosen) == (None, None, None, None)
    assert "run &#x27;decided&#x27; has no classification.copies" in status
    assert bare.show("classification", None, document, ALL_CLASSES, "clip_score", True, "all", 1, None)[:2] == ("", "")


def test_a_run_is_read_anew_when_asked_and_pictures_that_are_gone_are_named(tmp_path, tiny_clip):
    opened = Project(env="smoke", runtime_params={"data_root": str(tmp_path / "data")})
    store_run(opened, "classification", tmp_path / "images", tiny_clip)
    other = DeskHandlers(DeskRoom(opened))
    other.open()
    shutil.rmtree(tmp_path / "images" / "real")
    problem, tiles, _ = show(other, NOTHING)
    assert "png is gone; put it back" in problem
    assert tiles == ""
    image_id = other._room.open(*WHERE).rows.index[0]
    *_, details = other.describe(*WHERE, NOTHING, image_id)
    assert "png is gone; put it back" in details
    shutil.rmtree(opened.path("classification.synthetic_images", RUN).parent)
    assert other.open()[-1] == ""
    assert "has no classification.synthetic_images" in other.refresh(*WHERE)[-1]


def test_a_threshold_that_is_moved_changes_what_is_kept_of_its_class_alone(handlers):
    before, tiles, page = show(handlers, NOTHING)
    assert tiles.count("<button") == 24
    assert page.label == "Page, of 1"
    strict = handlers.turn("clip_score", "clip_score", *WHERE, NOTHING, "cat", 2.5)
    assert strict["thresholds"] == {"clip_score": {"clip_score": {"cat": 2.5}}}
    after, *_ = show(handlers, strict)
    assert after != before
    _, cats, _ = show(handlers, strict, "cat", "kept")
    _, dogs, _ = show(handlers, strict, "dog", "kept")
    assert "No image is like that." in cats
    assert dogs == show(handlers, NOTHING, "dog", "kept")[1]
    everywhere = handlers.turn("clip_score", "clip_score", *WHERE, strict, ALL_CLASSES, 0.0)
    assert everywhere["thresholds"] == {"clip_score": {"clip_score": 0.0}}


def test_sliders_are_those_of_the_rules_that_apply(handlers):
    sliders = dict(zip(DIALS, handlers.set_dials(*WHERE, NOTHING, "cat"), strict=True))
    assert [at for at, slider in sliders.items() if slider.visible] == [
        ("clip_score", "clip_score"),
        ("zero_shot", "zero_shot_margin"),
    ]
    at = handlers.turn("clip_score", "clip_score", *WHERE, NOTHING, "cat", 1.25)
    moved = handlers.set_dials(*WHERE, at, "cat")[DIALS.index(("clip_score", "clip_score"))]
    assert moved.value == 1.25


def test_an_image_is_decided_about_with_its_recipe_and_left_to_the_rules_again(handlers):
    rows = handlers._room.open(*WHERE).rows
    image_id = rows.index[1]
    kept = handlers.decide("keep", *WHERE, NOTHING, image_id)
    assert kept["keep"] == {image_id: rows.at[image_id, "recipe"]}
    *buttons, details = handlers.describe(*WHERE, kept, image_id)
    assert all(button.interactive for button in buttons)
    assert f"{image_id}: kept by hand" in details
    assert handlers.decide(None, *WHERE, kept, image_id) == NOTHING
    *buttons, details = handlers.describe(*WHERE, NOTHING, None)
    assert not any(button.interactive for button in buttons)
    assert "Choose a picture" in details


def test_a_copy_of_a_held_out_image_is_not_kept_and_that_is_said(handlers):
    leaked = handlers._room.open(*WHERE).rows.index[0]
    counts, *_ = show(handlers, handlers.decide("keep", *WHERE, NOTHING, leaked))
    assert f"Copies of validation or test images are never kept: {leaked}." in counts


def test_what_is_saved_can_be_read_again(handlers):
    asked = handlers.turn("clip_score", "clip_score", *WHERE, NOTHING, ALL_CLASSES, 0.5)
    status, command, known = handlers.store(*WHERE, asked, NOTHING)
    assert "filter_overrides.yml; runs that start from now on go by it." in status
    assert command.value.startswith("kedro run --pipelines classification --env smoke --params ")
    assert handlers.read_again(*WHERE) == (known, known, "") == (asked, asked, "")
    refused, *_ = handlers.store(*WHERE, NOTHING, NOTHING)
    assert "has been changed since this page read it" in refused
    assert handlers.read(*WHERE) == (asked, "")
