import json
from pathlib import Path

import pytest
from factories import noise_image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.coco import list_coco
from diffaug_pipeline.formats.source import Listing

CATEGORIES = [{"id": 90, "name": "dog"}, {"id": 4, "name": "cat"}]


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise_image(seed, (40, 30)).save(path)


def entry(number: int, name: str) -> dict:
    return {"id": number, "file_name": name, "width": 40, "height": 30}


def box(image: int, category: int = 4, xywh: tuple = (1, 2, 10, 20), **more) -> dict:
    return {"id": image, "image_id": image, "category_id": category, "bbox": list(xywh), **more}


def write(file: Path, images: list, annotations: list, categories: list = CATEGORIES) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def stated(listing: Listing) -> dict[str, list[tuple]]:
    return {
        candidate.image_id: [(box.label, box.xyxy) for box in candidate.annotations.boxes]
        for candidate in listing.candidates
    }


def splits(listing: Listing) -> dict[str, str | None]:
    return {candidate.image_id: candidate.split for candidate in listing.candidates}


def test_sparse_unsorted_ids_that_differ_between_files(tmp_path):
    for split, seed in (("train", 1), ("val", 2)):
        picture(tmp_path / "images" / f"{split}2017" / f"{split}.png", seed)
        picture(tmp_path / "images" / f"{split}2017" / f"{split}-2.png", seed + 10)
    write(
        tmp_path / "annotations" / "instances_train2017.json",
        [entry(900, "train.png"), entry(7, "train-2.png")],
        [box(7, 90), box(900, 4), box(7, 4, (0, 0, 5, 5))],
    )
    renumbered = [{"id": 4, "name": "dog"}, {"id": 0, "name": "cat"}]
    write(tmp_path / "annotations" / "instances_val2017.json", [entry(7, "val.png")], [box(7, 4)], renumbered)
    listing = list_coco(tmp_path, 10)
    assert stated(listing) == {
        "images/train2017/train-2.png": [("dog", (1, 2, 11, 22)), ("cat", (0, 0, 5, 5))],
        "images/train2017/train.png": [("cat", (1, 2, 11, 22))],
        "images/val2017/val.png": [("dog", (1, 2, 11, 22))],
    }
    assert set(splits(listing).values()) == {"train", "val"}
    assert listing.refused == {"images/val2017/val-2.png": "not in the annotations"}


def test_folders_as_roboflow_exports_them(tmp_path):
    for number, split in enumerate(("train", "valid", "test")):
        picture(tmp_path / split / "a.png", number)
        write(tmp_path / split / "_annotations.coco.json", [entry(0, "a.png")], [box(0)])
    assert splits(list_coco(tmp_path, 10)) == {"test/a.png": "test", "train/a.png": "train", "valid/a.png": "val"}


def test_one_file_without_splits(tmp_path):
    picture(tmp_path / "images" / "a.png")
    write(tmp_path / "annotations.json", [entry(3, "a.png")], [])
    listing = list_coco(tmp_path, 10)
    assert splits(listing) == {"images/a.png": None}
    assert stated(listing) == {"images/a.png": []}


def test_names_with_folders_and_backslashes(tmp_path):
    picture(tmp_path / "images" / "train" / "a.png")
    picture(tmp_path / "images" / "train" / "b.png", 1)
    write(tmp_path / "annotations" / "all.json", [entry(1, "images\\train\\a.png"), entry(2, "train/b.png")], [box(1)])
    assert set(stated(list_coco(tmp_path, 10))) == {"images/train/a.png", "images/train/b.png"}


def test_crowds_are_ignored_and_unknown_categories_and_bad_coordinates_are_marked(tmp_path):
    picture(tmp_path / "a.png")
    odd = [box(1, 5), box(1, xywh=("x", 1, 2, 3)), box(1, xywh=(1, 2)), {"image_id": 1, "category_id": 4}]
    write(tmp_path / "a.json", [entry(1, "a.png")], [box(1, iscrowd=1), *odd])
    boxes = list_coco(tmp_path, 10).candidates[0].annotations.boxes
    assert [of_image.ignored for of_image in boxes] == [True, False, False, False, False]
    assert [of_image.known_class for of_image in boxes] == [True, False, True, True, True]
    assert boxes[1].label == "category id 5"
    assert all(str(of_image.xyxy[0]) == "nan" for of_image in boxes[2:])


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "link.png", "images/../../secret.png"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    picture(tmp_path / "secret.png")
    root = tmp_path / "mine"
    picture(root / "a.png", 1)
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    write(root / "a.json", [entry(1, "a.png"), entry(2, name)], [box(1), box(2)])
    listing = list_coco(root, 10)
    assert listing.refused[name] == "leaves the dataset folder"
    assert set(stated(listing)) == {"a.png"}


def test_links_to_themselves_do_no_harm(tmp_path):
    picture(tmp_path / "a.png")
    for name in ("loop.png", "loop.json"):
        (tmp_path / name).symlink_to(tmp_path / name)
    write(tmp_path / "a.json", [entry(1, "a.png"), entry(2, "loop.png")], [box(1)])
    assert set(stated(list_coco(tmp_path, 10))) == {"a.png"}


def test_missing_files_and_broken_entries_are_refused_by_name(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "twice.png", 1)
    images = [entry(1, "a.png"), entry(2, "gone.png"), {"id": 3}, entry(4, "twice.png"), entry(4, "twice.png"), "x"]
    write(tmp_path / "a.json", [*images, entry(5, "n\0.png")], [box(1), box(77)])
    assert list_coco(tmp_path, 10).refused == {
        "gone.png": "the file is missing",
        "a.json: images[2]": "has no id or no file_name",
        "a.json: images[5]": "has no id or no file_name",
        "twice.png": "its id 4 stands for several images",
        "twice.png (4)": "its id 4 stands for several images",
        "a.json: annotations": "1 belong to no image, e.g. annotations[1]",
        "n\0.png": "the file is missing",
    }


def test_key_points_and_captions_beside_instances_are_left_out(tmp_path):
    picture(tmp_path / "a.png")
    for name in ("instances_all.json", "person_keypoints_all.json"):
        write(tmp_path / "annotations" / name, [entry(1, "a.png")], [box(1)])
    listing = list_coco(tmp_path, 10)
    assert len(stated(listing)["a.png"]) == 1
    reason = "left out: instances_… files lie beside it"
    assert listing.refused == {"annotations/person_keypoints_all.json": reason}


def test_a_file_without_categories_is_refused(tmp_path):
    picture(tmp_path / "a.png")
    write(tmp_path / "a.json", [entry(1, "a.png")], [box(1)])
    (tmp_path / "captions.json").write_text('{"images": [], "annotations": []}')
    assert list_coco(tmp_path, 10).refused == {"captions.json": "holds no categories"}


def test_boxes_from_two_files_of_one_split_add_up(tmp_path):
    picture(tmp_path / "a.png")
    write(tmp_path / "cats.json", [entry(1, "a.png")], [box(1, 4)])
    write(tmp_path / "dogs.json", [entry(9, "a.png")], [box(9, 90)])
    assert [label for label, _ in stated(list_coco(tmp_path, 10))["a.png"]] == ["cat", "dog"]


def test_an_image_in_two_splits_stays_in_the_more_precious_one(tmp_path):
    for number, name in enumerate("abcd"):
        picture(tmp_path / f"{name}.png", number)
    write(tmp_path / "train.json", [entry(1, "a.png"), entry(2, "b.png"), entry(3, "c.png")], [box(2), box(3)])
    write(tmp_path / "test.json", [entry(2, "b.png"), entry(3, "c.png"), entry(4, "d.png")], [box(2), box(3, 90)])
    write(tmp_path / "everything.json", [entry(1, "a.png")], [])
    listing = list_coco(tmp_path, 10)
    assert splits(listing) == {"a.png": "train", "b.png": "test", "d.png": "test"}
    assert listing.candidates[1].annotations.notes == ("listed in train and test, kept in test",)
    assert listing.refused == {"c.png": "listed in train and test with different boxes"}


def test_a_split_that_repeats_another_is_none(tmp_path):
    picture(tmp_path / "a.png")
    for name in ("train.json", "val.json"):
        write(tmp_path / name, [entry(1, "a.png")], [box(1)])
    listing = list_coco(tmp_path, 10)
    assert splits(listing) == {"a.png": None}
    assert listing.notes == ("val lists the very images of train: not taken for a split",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [\n{"id": 1,,}]', r"a.json, line 2: no valid JSON \(.*\); expected a COCO file with the lists"),
        ('{"images": [1], "annotations": 3}', "a.json is JSON of another kind; expected a COCO file"),
        ('{"shapes": []}', "holds no COCO annotations among 1 .json files; expected a COCO file"),
        ('{"images": [' + "[" * 100_000, r"a.json: no valid JSON \(RecursionError\)"),
        ('{"images": [], "annotations": [], "categories": []}', "read as coco, has annotations for none of its images"),
    ],
)
def test_unusable_files_get_one_clear_error(tmp_path, content, message):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DatasetFormatError, match=message):
        list_coco(tmp_path, 10)
