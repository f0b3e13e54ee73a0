"""What a person may write, how it is refused, and what becomes of thresholds."""

import logging
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from filtering.filter_cases import evidence, filtering_options, gray_thumbnails, overrides, scene_options

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.filtering.overrides import (
    Overrides,
    overridable_columns,
    override_thresholds,
    read_overrides,
    write_overrides,
)

RULES = ["blank", "clip_score", "zero_shot"]
EVERYTHING = {
    "thresholds": {
        "blank": {"contrast": 0.1, "midtones": 0.2},
        "clip_score": {"clip_score": {"cat": 0.6, "Größe 1": 0.5}},
        "zero_shot": {"zero_shot_margin": -0.1},
    },
    "keep": {"synthetic:cat/000001": "1234e5"},
    "reject": {"00012": "ab"},
}
EMPTY = {"thresholds": {}, "keep": {}, "reject": {}}


def read(path: Path, text: str, rules: list[str] = RULES) -> Overrides:
    path.write_text(text, encoding="utf-8")
    return read_overrides(str(path), rules, ["cat", "dog", "Größe 1"])


def test_what_is_written_is_read_whatever_its_names_look_like(tmp_path):
    path = tmp_path / "01_raw" / "overrides.yml"
    write_overrides(overrides(**EVERYTHING), path)
    assert read_overrides(str(path), RULES, ["cat", "dog", "Größe 1"]).as_document() == EVERYTHING
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == EVERYTHING
    write_overrides(overrides(), path)
    assert read_overrides(str(path), RULES, ["cat"]).as_document() == EMPTY
    assert [file.name for file in path.parent.iterdir()] == ["overrides.yml"]


@pytest.mark.parametrize("path", [None, "nowhere.yml"])
def test_without_a_file_nothing_is_overridden_and_that_is_said(tmp_path, caplog, path):
    caplog.set_level(logging.INFO)
    named = path and str(tmp_path / path)
    assert read_overrides(named, RULES, ["cat"]).as_document() == EMPTY
    assert f"decided by hand: {f'no file {named}' if named else 'no file named'}." in caplog.text


def test_an_empty_file_overrides_nothing(tmp_path):
    assert read(tmp_path / "o.yml", "# nothing yet\n").as_document() == EMPTY


def test_everything_that_is_wrong_is_named_at_once(tmp_path):
    text = """
    thresholds:
      blank: {contrast: high, midtone: 0.2}
      leakage: {held_out_distance: 0}
      clip_score: {clip_score: {cat: 7}}
      zero_shot: {zero_shot_margin: [1]}
    keep: {1: ab}
    rejected: {}
    """
    with pytest.raises(ParameterError) as refused:
        read(tmp_path / "o.yml", text)
    for problem in (
        "thresholds.blank.contrast: Input should be a valid number, not 'high'",
        "thresholds.blank.midtone: unknown; there is contrast, midtones",
        "thresholds.leakage: unknown; there is blank, clip_score, zero_shot, memorisation, ",
        "thresholds.clip_score.clip_score.cat: Input should be less than or equal to 2.5, not 7",
        "thresholds.zero_shot.zero_shot_margin: Input should be a valid number, not [1]",
        "keep.1: Input should be a valid string, not 1",
        "rejected: unknown; there is thresholds, keep, reject",
    ):
        assert f"\n  {problem}" in str(refused.value)
    assert str(refused.value).count("\n  ") == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keep: {a: x, b: x}\nreject: {b: x}", "b stands under keep and under reject; leave it in one of them"),
        ("thresholds: {clip_score: {clip_score: {eel: 1.0}}}", "sets thresholds of eel; the classes are cat, dog"),
        ("keep: {a: x", "o.yml is not YAML: "),
        ("- a", "o.yml is not understood:\n  Input should be a valid dictionary"),
        ("thresholds: {blank: {contrast: .nan}}", "contrast: Input should be a finite number, not nan"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, text, message):
    with pytest.raises(ParameterError) as refused:
        read(tmp_path / "o.yml", text)
    assert message in str(refused.value)


def test_thresholds_of_rules_that_do_not_apply_are_pointed_out(tmp_path, caplog):
    text = "thresholds: {detector_agreement: {detector_iou: 0.6}, blank: {contrast: 0.1}}"
    read(tmp_path / "o.yml", text)
    assert "sets thresholds of detector_agreement, which filtering.rules does not list." in caplog.text


def test_a_threshold_set_by_hand_replaces_the_calibrated_one_of_its_column_and_class():
    calibrated = {
        "blank": {"contrast": 0.1, "midtones": 0.3},
        "clip_score": {"clip_score": {"cat": 0.5, "dog": 0.6}},
        "leakage": {},
    }
    asked = {"blank": {"midtones": 0.0}, "clip_score": {"clip_score": {"dog": 0.9}}, "zero_shot": {}}
    assert override_thresholds(calibrated, overrides(thresholds=asked)) == {
        "blank": {"contrast": 0.1, "midtones": 0.0},
        "clip_score": {"clip_score": {"cat": 0.5, "dog": 0.9}},
        "leakage": {},
    }
    assert override_thresholds(calibrated, overrides()) == calibrated


def test_every_column_that_may_be_overridden_is_one_that_its_rule_sets():
    known = evidence(
        ["cat", "dog"],
        cosines=[[0.2, 0.1], [0.1, 0.2]],
        probabilities=[[0.9, 0.1], [0.2, 0.8]],
        thumbnails=gray_thumbnails(10, 200),
    )
    for rule, columns in overridable_columns().items():
        options = scene_options() if rule in {"detector_agreement", "undeclared_objects"} else filtering_options()
        calibrated = import_module(f"diffaug_pipeline.filtering.rules.{rule}").calibrate(known, options)
        assert list(calibrated) == columns, rule


def test_a_threshold_of_one_class_leaves_what_was_set_of_the_others():
    of_all = overrides().with_threshold("clip_score", "clip_score", 0.5)
    assert of_all.as_document()["thresholds"] == {"clip_score": {"clip_score": 0.5}}
    of_cat = of_all.with_threshold("clip_score", "clip_score", 0.7, "cat", ["cat", "dog"])
    assert of_cat.as_document()["thresholds"] == {"clip_score": {"clip_score": {"cat": 0.7, "dog": 0.5}}}
    alone = overrides().with_threshold("clip_score", "clip_score", 0.7, "cat", ["cat", "dog"])
    assert alone.as_document()["thresholds"] == {"clip_score": {"clip_score": {"cat": 0.7}}}
    assert of_cat.without_thresholds().as_document() == EMPTY


def test_one_verdict_per_image():
    kept = overrides(reject={"b": "y"}).with_verdict("a", "x", "keep")
    assert kept.as_document() == EMPTY | {"keep": {"a": "x"}, "reject": {"b": "y"}}
    changed = kept.with_verdict("a", "x", "reject").with_verdict("b", "y", None)
    assert changed.as_document() == EMPTY | {"reject": {"a": "x"}}
