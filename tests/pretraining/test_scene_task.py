"""Fashion scenes as a COCO dataset: a tiny one made here, and the one that ships with the package."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import tree_bytes, write_fashion_mnist
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import diffaug_pipeline
from diffaug_pipeline.formats.coco import list_coco
from diffaug_pipeline.pretraining.captions import CLASS_NAMES
from diffaug_pipeline.pretraining.options import PoolOptions, SceneOptions, SceneTaskOptions
from diffaug_pipeline.pretraining.pool import read_pool
from diffaug_pipeline.pretraining.scene_task import GARMENTS_OF, write_scene_task

EMBEDDED = Path(diffaug_pipeline.__file__).parent / "embedded"
SCENE = SceneOptions(
    size_px=96, min_garments=2, max_garments=5, min_scale=0.7, max_scale=1.6, max_degrees=12, min_visible=0.5
)
SCENES = {"train": 4, "val": 3, "test": 5}
SHIPPED_SCENES = {"train": 60, "val": 100, "test": 300}


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> pd.DataFrame:
    source = write_fashion_mnist(tmp_path_factory.mktemp("idx"), 20)
    options = PoolOptions(
        folder=str(source),
        download_folder=str(tmp_path_factory.mktemp("raw")),
        seed=0,
        train_images_per_class=2,
        extra_images_per_class=3,
        val_images_per_class=2,
        test_images_per_class=4,
        pool_val_images_per_class=5,
        min_distance=0.003,
    )
    return read_pool(options)


def write(pool: pd.DataFrame, folder: Path, seed: int = 0, **scenes: int) -> Path:
    write_scene_task(pool, SCENE, SceneTaskOptions(scenes=SCENES | scenes, seed=seed), folder)
    return folder


@pytest.fixture(scope="module")
def made(pool, tmp_path_factory) -> Path:
    return write(pool, tmp_path_factory.mktemp("made"))


@pytest.fixture(params=["made", "shipped"])
def task(request, made) -> tuple[Path, dict[str, int]]:
    """A folder, and how many scenes it is to hold per split."""
    return (made, SCENES) if request.param == "made" else (EMBEDDED / "fashion_scenes", SHIPPED_SCENES)


def load_coco(folder: Path, split: str) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(folder / "annotations" / f"instances_{split}.json")


def garment_hashes(folder: Path, split: str) -> list[str]:
    return [annotation["garment"] for annotation in load_coco(folder, split).anns.values()]


def test_pycocotools_reads_every_split(task):
    folder, scenes = task
    for split, count in scenes.items():
        coco = load_coco(folder, split)
        assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == list(CLASS_NAMES)
        assert len(coco.getImgIds()) == count
        for image in coco.loadImgs(coco.getImgIds()):
            with Image.open(folder / split / image["file_name"]) as picture:
                assert picture.size == (image["width"], image["height"]) == (96, 96)
            annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            assert 1 <= len(annotations) <= 5
            for annotation in annotations:
                left, top, width, height = annotation["bbox"]
                assert min(left, top, 96 - left - width, 96 - top - height) >= 0
                assert annotation["area"] == width * height > 0


def test_pycocotools_finds_the_truth_perfect(task):
    """An annotation with the id 0 counts as not found."""
    folder, scenes = task
    for split in scenes:
        truth = load_coco(folder, split)
        columns = ("image_id", "category_id", "bbox")
        found = [{name: row[name] for name in columns} | {"score": 1.0} for row in truth.anns.values()]
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        assert evaluation.stats[0] == pytest.approx(1)


def test_our_reader_reads_the_same(task):
    folder, scenes = task
    listing = list_coco(folder, 10)
    assert listing.refused == {}
    by_split = pd.Series([candidate.split for candidate in listing.candidates]).value_counts()
    assert by_split.to_dict() == scenes
    boxes = sum(len(candidate.annotations.boxes) for candidate in listing.candidates)
    assert boxes == sum(len(load_coco(folder, split).anns) for split in scenes)


def test_no_garment_appears_twice(task):
    folder, scenes = task
    hashes = [garment for split in scenes for garment in garment_hashes(folder, split)]
    assert len(set(hashes)) == len(hashes) > 2 * sum(scenes.values())


def test_shipped_scenes_show_nothing_that_the_embedded_models_were_trained_on():
    pool = set(np.load(EMBEDDED / "fashion_few_shot" / "pool_content_hashes.npy").tolist())
    assert len(pool) > 50_000
    for split in SHIPPED_SCENES:
        hashes = {int(text, 16) for text in garment_hashes(EMBEDDED / "fashion_scenes", split)}
        assert hashes.isdisjoint(pool), split


def test_garments_come_from_the_split_of_the_pool_that_is_meant_for_them(pool, made):
    split_of = dict(zip(pool["content_hash"], pool["split"], strict=True))
    class_of = dict(zip(pool["content_hash"], pool["class_name"], strict=True))
    for split in SCENES:
        coco = load_coco(made, split)
        for annotation in coco.anns.values():
            assert split_of[annotation["garment"]] == GARMENTS_OF[split]
            assert class_of[annotation["garment"]] == coco.cats[annotation["category_id"]]["name"]


def test_classes_come_up_equally_often():
    folder = EMBEDDED / "fashion_scenes"
    for split in SHIPPED_SCENES:
        categories = [annotation["category_id"] for annotation in load_coco(folder, split).anns.values()]
        counts = np.bincount(categories, minlength=11)[1:]
        assert counts.max() - counts.min() <= max(4, 0.1 * counts.mean())


def test_the_same_seed_writes_the_same_bytes(pool, made, tmp_path):
    assert tree_bytes(write(pool, tmp_path / "again")) == tree_bytes(made)
    assert tree_bytes(write(pool, tmp_path / "other", seed=1)) != tree_bytes(made)


def test_too_many_scenes_are_one_clear_error(pool, tmp_path):
    with pytest.raises(ValueError, match="30 garments are too few for 50 train scenes; ask for fewer"):
        write(pool, tmp_path, train=50)


def test_annotations_say_where_the_pictures_come_from(task):
    folder, scenes = task
    for split in scenes:
        content = json.loads((folder / "annotations" / f"instances_{split}.json").read_text())
        (licence,) = content["licenses"]
        assert "Zalando SE" in licence["name"]
        assert {image["license"] for image in content["images"]} == {licence["id"]}
