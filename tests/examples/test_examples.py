"""Each example is run as a stranger would, but in this process, which has torch loaded."""

import ast
import logging
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import draw_scenes, smooth_image, write_coco_folder
from PIL import Image

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Iterator[Run]:
    """Runs an example by name with the words behind it; returns what it prints."""

    def run(name: str, *words: str | Path) -> str:
        (path,) = (example for example in EXAMPLES if example.stem == name)
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, words)])
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    logging.disable(logging.INFO)  # other tests let Kedro log to stdout
    yield run
    logging.disable(logging.NOTSET)


@pytest.fixture
def garments(tmp_path: Path) -> tuple[Path, Path]:
    """A dataset with splits, and pictures among which one is a copy of a test image."""
    dataset, pictures = tmp_path / "dataset", tmp_path / "pictures"
    for folder, count in (("train", 6), ("val", 4), ("test", 4)):
        write_pictures(dataset / folder, count)
    write_pictures(pictures, 3)
    with Image.open(dataset / "test" / "bag" / "1.png") as original:
        original.save(pictures / "bag" / "copy.jpg", quality=90)
    return dataset, pictures


def write_pictures(folder: Path, of_class: int) -> None:
    for label in ("bag", "coat"):
        (folder / label).mkdir(parents=True)
        for number in range(of_class):
            smooth_image(f"{folder.name} {label} {number}").save(folder / label / f"{number}.png")


def test_generate_images(run, tmp_path):
    prompts = ["a photo of a coat", "a photo of a dark bag"]
    printed = run("generate_images", tmp_path / "pictures", *prompts)
    written = sorted((tmp_path / "pictures").iterdir())
    named = dict(line.split(": ") for line in printed.splitlines())
    assert sorted(named) == [path.name for path in written]
    assert sorted(named.values()) == prompts
    first, second = (np.asarray(Image.open(path)) for path in written)
    assert first.shape == (32, 32, 3)
    assert not np.array_equal(first, second)


def test_find_copies(run, garments):
    counts, found, none = run("find_copies", *garments).splitlines()
    assert counts.startswith("1 of 7 pictures copy a validation or test image")
    assert found.startswith("  bag/copy.jpg copies test/bag/1.png, distance 0.00")
    assert none.startswith("0 of 7 pictures copy a training image")


def test_filter_images(run, garments, tmp_path):
    printed = run("filter_images", *garments, tmp_path / "decisions.csv")
    decisions = pd.read_csv(tmp_path / "decisions.csv").set_index("image_id")
    assert len(decisions) == 7
    assert decisions.loc["bag/copy.jpg", "reason"] == "leakage"
    assert (decisions["accepted"] == decisions["reason"].isna()).all()
    assert dict(line.split() for line in printed.splitlines()[1:])["leakage"] == "1"


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.9, "HELPED"), (0.5, "HURT"), (0.7, "INCONCLUSIVE")])
def test_compare_predictions(run, tmp_path, accuracy, verdict):
    tables = [predictions(0.7, 0), predictions(accuracy, 1)]
    tables[0].to_csv(tmp_path / "before.csv", index=False)
    tables[1].to_parquet(tmp_path / "after.parquet")
    printed = run("compare_predictions", tmp_path / "before.csv", tmp_path / "after.parquet")
    right = [(table["label"] == table["predicted"]).mean() for table in tables]
    assert printed.startswith(f"after: {verdict}: {100 * (right[1] - right[0]):+.1f} points")


def predictions(accuracy: float, salt: int, images: int = 300, seeds: int = 5) -> pd.DataFrame:
    """Of a task whose classes and images go by numbers, as in CIFAR."""
    rng, truth = np.random.default_rng(salt), np.arange(images) % 2
    return pd.concat(
        pd.DataFrame(
            {
                "seed": seed,
                "image_id": [f"{number:04d}" for number in range(images)],
                "label": truth.astype(str),
                "predicted": np.where(rng.random(images) < accuracy, truth, 1 - truth).astype(str),
            }
        )
        for seed in range(seeds)
    )


def test_convert_annotations(run, tmp_path):
    dataset = write_coco_folder(tmp_path / "coco")
    printed = run("convert_annotations", dataset, tmp_path / "yolo")
    assert "pictures, circle, square, triangle" in printed
    scenes = {scene.name: scene for scene in draw_scenes({"train": 8, "val": 4, "test": 6})}
    written = [path for path in (tmp_path / "yolo" / "labels").rglob("*.txt") if path.read_text()]
    by_scene = {name: path for path in written for name in scenes if name in path.stem}
    assert by_scene.keys() >= {name for name, scene in scenes.items() if scene.split != "train"}
    for name in ("test_001", "val_002"):
        boxes = np.loadtxt(by_scene[name], ndmin=2)
        stated = np.array([xyxy for _, xyxy in scenes[name].objects])
        centers = (stated[:, :2] + stated[:, 2:]) / 2 / scenes[name].image.size
        np.testing.assert_allclose(np.sort(boxes[:, 1]), np.sort(centers[:, 0]), atol=1e-5)
    again = run("convert_annotations", tmp_path / "yolo", tmp_path / "voc", "--to", "voc")
    assert again.split(" of ")[0] == printed.split(" of ")[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_says_what_it_does_and_is_run_here(example):
    text = example.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) < 40
    assert f"python examples/{example.name} " in ast.get_docstring(tree)
    assert f"test_{example.stem}" in globals()
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in modules if name.startswith(("kedro", "diffaug_pipeline.datasets"))]
