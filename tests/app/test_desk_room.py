"""Runs as the filter desk opens them, and the file that it writes."""

import re
from pathlib import Path

import numpy as np
import pytest
from app.desk_cases import RUN, store_run
from filtering.filter_cases import overrides
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.app.desk_room import DeskRoom, View
from diffaug_pipeline.app.desk_views import show_image
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.project import Project


@pytest.fixture(scope="module")
def data_root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data root")


@pytest.fixture(scope="module")
def opened(project, data_root, tmp_path_factory, tiny_clip) -> Project:
    bootstrap_project(project)
    opened = Project(env="smoke", runtime_params={"data_root": str(data_root)})
    for task in ("classification", "detection"):
        store_run(opened, task, tmp_path_factory.mktemp(task), tiny_clip)
    return opened


@pytest.fixture
def room(opened) -> DeskRoom:
    return DeskRoom(opened)


def test_runs_with_decisions_are_found(room, project, tmp_path):
    assert room.tasks() == ["classification", "detection"]
    assert room.run_ids("classification") == [RUN]
    assert DeskRoom(Project(env="smoke", runtime_params={"data_root": str(tmp_path)})).tasks() == []


def test_images_are_arranged_by_score_and_verdict(room):
    opened = room.open("classification", RUN)
    decided = opened.desk.decide(overrides().with_threshold("clip_score", "clip_score", 2.5))
    everything = opened.arrange(decided, View(None, "clip_score", descending=True, shown="all"))
    assert everything["clip_score"].is_monotonic_decreasing
    assert len(everything) == len(opened.synthetic_images)
    cats = opened.arrange(decided, View("cat", "zero_shot_margin", descending=False, shown="all"))
    assert set(cats["label"]) == {"cat"}
    assert cats["zero_shot_margin"].is_monotonic_increasing
    assert opened.arrange(decided, View(None, "clip_score", descending=True, shown="kept")).empty
    changed = opened.arrange(decided, View(None, "clip_score", descending=True, shown="changed"))
    kept_then = opened.desk.decisions.loc[opened.desk.decisions["accepted"], "image_id"]
    assert set(changed["image_id"]) == set(kept_then)
    assert opened.arrange(decided, View(None, "clip_score", descending=True, shown="by hand")).empty


def test_a_scene_is_of_every_class_that_it_shows(room):
    opened = room.open("detection", RUN)
    view = View("cat", "clip_score", descending=True, shown="all")
    with_cats = set(opened.arrange(opened.desk.decisions, view)["image_id"])
    index = opened.synthetic_images.index
    expected = {
        image_id
        for image_id, boxes in zip(index["image_id"], index["boxes"], strict=True)
        if any(box["label"] == "cat" for box in boxes)
    }
    assert with_cats == expected
    assert len(expected) < len(index)


def test_small_pictures_grow_by_whole_pixels_and_scenes_show_their_boxes(room):
    opened = room.open("classification", RUN)
    image_id = opened.synthetic_images.index["image_id"].iloc[0]
    drawn = np.asarray(opened.draw(opened.synthetic_images, image_id, 128))
    picture = np.asarray(opened.synthetic_images.read(image_id))
    np.testing.assert_array_equal(drawn, picture.repeat(4, 0).repeat(4, 1))
    assert opened.draw(opened.synthetic_images, image_id, 20).size == (20, 20)
    scenes = room.open("detection", RUN)
    of_scene = scenes.draw(scenes.synthetic_images, scenes.synthetic_images.index["image_id"].iloc[0], 128)
    assert max(of_scene.size) == 128
    assert room.thumbnail("detection", RUN, scenes.rows.index[0]).startswith("data:image/")


def test_of_a_scene_each_judged_box_is_told_beside_the_threshold_of_its_class(room):
    scenes, asked = room.open("detection", RUN), overrides(thresholds={"clip_score": {"clip_score": {"cat": 1.23456}}})
    row = scenes.desk.decide(asked).set_index("image_id", drop=False).iloc[0]
    page = show_image(scenes, row, asked)
    told = [[*re.findall(r">([^<]*)</t[hd]>", line)] for line in page.split("<tr>")[2:]]
    by_name = {name: (value, threshold) for name, value, threshold in told}
    assert by_name["clip percentile of the worst box"] == (f"{row['clip_score']:.3f}", "")
    assert "clip score" not in by_name
    boxes = scenes.desk.boxes_of(row["image_id"])
    assert len(boxes) == len(scenes.synthetic_images.boxes_of(row["image_id"]))
    for box in boxes.itertuples():
        value, threshold = by_name[f"box {box.box}, {box.label}: clip score"]
        assert value == f"{box.clip_score:.3f}"
        assert (threshold == "1.235") == (box.label == "cat")
    assert min(boxes["zero_shot_margin"]) == row["zero_shot"]
    assert scenes.desk.name_of("zero_shot") == "zero shot margin of the worst box"
    assert room.open("classification", RUN).desk.name_of("clip_score") == "clip score"


def test_what_is_saved_is_where_the_next_run_looks_for_it(room, opened, data_root):
    asked = overrides(thresholds={"clip_score": {"clip_score": {"cat": 1.0}}}, reject={"a": "1"})
    path = room.save("classification", RUN, asked, known=overrides())
    assert str(path) == opened.parameters("params:classification.filtering").overrides
    assert path == data_root / "01_raw" / "classification" / "filter_overrides.yml"
    assert room.read("classification", RUN) == asked
    path.write_text("thresholds: {clip_score: {clip_score: {eel: 1.0}}}")
    with pytest.raises(ParameterError, match="sets thresholds of eel; the classes are cat, dog"):
        room.read("classification", RUN)
    with pytest.raises(ParameterError, match="sets thresholds of eel"):
        room.save("classification", RUN, asked, known=asked)  # what somebody wrote would be lost
    path.write_text("reject: {b: '2'}")
    with pytest.raises(ParameterError, match="has been changed since this page read it, by another page or by hand"):
        room.save("classification", RUN, asked, known=asked)
    assert path.read_text() == "reject: {b: '2'}"
    path.unlink()
    assert room.read("classification", RUN) == overrides()


def test_nothing_is_saved_where_no_run_would_read_it(project, data_root):
    params = {"data_root": str(data_root), "classification": {"filtering": {"overrides": None}}}
    room = DeskRoom(Project(env="smoke", runtime_params=params))
    with pytest.raises(ParameterError, match=r"classification\.filtering\.overrides is null"):
        room.save("classification", RUN, overrides(), known=overrides())
    assert room.read("classification", RUN) == overrides()


def test_the_command_runs_in_the_same_environment_with_the_same_parameters(room, project, data_root):
    assert room.command("detection") == f"kedro run --pipelines detection --env smoke --params 'data_root={data_root}'"
    assert DeskRoom(Project()).command("classification") == "kedro run --pipelines classification"
    changed = Project(runtime_params={"classification": {"synthesis": {"seed": 3}, "budget": {"quota": None}}})
    command = (
        "kedro run --pipelines classification --params classification.synthesis.seed=3,classification.budget.quota="
    )
    assert DeskRoom(changed).command("classification") == f"{command}null"
