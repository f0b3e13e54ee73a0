from pathlib import Path

import pytest
from factories import noise_image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.source import Listing
from diffaug_pipeline.formats.yolo import list_yolo

LINE = "0 0.5 0.5 0.5 0.25"
DATA = "train: images/train\nval: images/val\nnames: [cat, dog]\n"


def add(root: Path, picture: str, *lines: str) -> None:
    path = root / picture
    path.parent.mkdir(parents=True, exist_ok=True)
    noise_image(len(list(root.rglob("*.png"))), (40, 20)).save(path)
    if lines:
        label = root / picture.replace("images", "labels").replace(".png", ".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("\n".join(lines))


def dataset(root: Path, data: str | None = DATA) -> Path:
    add(root, "images/train/a.png", LINE)
    add(root, "images/val/b.png", "1 0.5 0.5 1 1")
    if data is not None:
        (root / "data.yaml").write_text(data)
    return root


def stated(listing: Listing) -> dict[str, list[tuple]]:
    return {
        candidate.image_id: [(box.label, box.xyxy) for box in candidate.annotations.boxes]
        for candidate in listing.candidates
    }


def splits(listing: Listing) -> dict[str, str | None]:
    return {candidate.image_id: candidate.split for candidate in listing.candidates}


BOTH = {"images/train/a.png": "train", "images/val/b.png": "val"}


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        "path: .\n" + DATA,
        "path: /content/somewhere/else\n" + DATA,
        "train: ../images/train\nval: ../images/val\nnames: {0: cat, 1: dog}\n",
        "train: [images/train]\nvalidation: ./images/val\ntest:\nnames:\n  - cat\n  - dog\n",
        "train: train.txt\nval: val.txt\nnames: [cat, dog]",
    ],
)
def test_ways_to_name_the_splits(tmp_path, data):
    root = dataset(tmp_path, data)
    (root / "train.txt").write_text("./images/train/a.png\n\n")
    (root / "val.txt").write_text(str(root / "images/val/b.png"))
    listing = list_yolo(root, 10)
    assert splits(listing) == BOTH
    assert stated(listing)["images/train/a.png"] == [("cat", (0.25, 0.375, 0.75, 0.625))]
    assert stated(listing)["images/val/b.png"] == [("dog", (0, 0, 1, 1))]
    assert all(candidate.annotations.unit == "share" for candidate in listing.candidates)


def test_without_data_yaml_classes_are_in_a_text_file(tmp_path):
    root = dataset(tmp_path, None)
    (root / "classes.txt").write_text("cat\ndog\n")
    assert splits(list_yolo(root, 10)) == BOTH


def test_split_folders_above_images(tmp_path):
    for split in ("train", "valid"):
        add(tmp_path, f"{split}/images/a.png", LINE)
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnames: [cat]")
    assert splits(list_yolo(tmp_path, 10)) == {"train/images/a.png": "train", "valid/images/a.png": "val"}


def test_class_names_stay_text(tmp_path):
    listing = list_yolo(dataset(tmp_path, DATA.replace("[cat, dog]", "[no, 2020-01-01]")), 10)
    assert [boxes[0][0] for boxes in stated(listing).values()] == ["no", "2020-01-01"]


def test_a_foreign_path_and_a_download_are_noted_and_nothing_runs(tmp_path):
    script = f"download: |\n  open({str(tmp_path / 'ran')!r}, 'w')\n"
    listing = list_yolo(dataset(tmp_path, "path: /content/shapes\n" + DATA + script), 10)
    assert listing.notes == (
        "data.yaml: download: was not run",
        "data.yaml: path: /content/shapes does not exist here, read relative to the file",
    )
    assert not (tmp_path / "ran").exists()


def test_empty_and_missing_label_files_make_negatives(tmp_path):
    root = dataset(tmp_path)
    add(root, "images/train/empty.png", "")
    add(root, "images/train/missing.png")
    listing = stated(list_yolo(root, 10))
    assert listing["images/train/empty.png"] == listing["images/train/missing.png"] == []


def test_polygons_become_boxes_and_odd_lines_are_marked(tmp_path):
    root = dataset(tmp_path)
    add(
        root, "images/train/c.png", "0 .1 .2 .5 .2 .3 .8", "0 .1 .2 .3", "7 .5 .5 .5 .5", "0.5 .5 .5 .5 .5", "0 a 1 1 1"
    )
    annotations = next(c.annotations for c in list_yolo(root, 10).candidates if c.image_id.endswith("c.png"))
    assert annotations.boxes[0].xyxy == (0.1, 0.2, 0.5, 0.8)
    assert annotations.notes == ("polygons replaced by the boxes around them",)
    assert [box.known_class for box in annotations.boxes] == [True, True, False, False, True]
    assert [str(box.xyxy[0]) for box in annotations.boxes] == ["0.1", "nan", "0.25", "0.25", "nan"]
    assert annotations.boxes[2].label == "class index 7"


def test_key_points_are_left_out(tmp_path):
    root = dataset(tmp_path, DATA + "kpt_shape: [2, 3]\n")
    add(root, "images/train/c.png", LINE + " .1 .1 2 .9 .9 2", LINE + " .1 .1")
    annotations = next(c.annotations for c in list_yolo(root, 10).candidates if c.image_id.endswith("c.png"))
    assert annotations.boxes[0].xyxy == (0.25, 0.375, 0.75, 0.625)
    assert str(annotations.boxes[1].xyxy[0]) == "nan"
    assert annotations.notes == ("key points left out",)


def test_what_leaves_the_folder_is_refused(tmp_path):
    add(tmp_path, "outside/secret.png")
    (tmp_path / "outside" / "labels.txt").write_text(LINE)
    root = dataset(tmp_path / "mine", DATA.replace("images/val", "[images/val, val.txt, ../outside]"))
    (root / "val.txt").write_text(f"../outside/secret.png\n{tmp_path}/outside/secret.png\nimages/gone.png")
    (root / "images" / "train" / "link.png").symlink_to(tmp_path / "outside" / "secret.png")
    add(root, "images/train/labelled.png")
    (root / "labels" / "train" / "labelled.txt").symlink_to(tmp_path / "outside" / "labels.txt")
    listing = list_yolo(root, 10)
    assert splits(listing) == BOTH
    assert listing.refused == {
        "../outside/secret.png": "leaves the dataset folder (listed in val.txt)",
        f"{tmp_path}/outside/secret.png": "leaves the dataset folder (listed in val.txt)",
        "images/gone.png": "the file is missing (listed in val.txt)",
        "data.yaml: val: ../outside": "leaves the dataset folder",
        "images/train/link.png": "leaves the dataset folder",
        "images/train/labelled.png": "its label file leaves the dataset folder",
    }


def test_links_to_pictures_inside_the_folder_are_followed(tmp_path):
    root = dataset(tmp_path)
    add(root, "pool/c.png")
    (root / "images" / "train" / "c.png").symlink_to(root / "pool" / "c.png")
    (root / "labels" / "train" / "c.txt").write_text(LINE)
    assert stated(list_yolo(root, 10))["pool/c.png"][0][0] == "cat"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("path: ..\n" + DATA, r"data.yaml: path: \.\. leaves the dataset folder; remove the line"),
        ("train: ../../x\nnames: [cat]", "data.yaml: train: ../../x: leaves the dataset folder; it should be a folder"),
        ("train: images/other\nnames: [cat]", "data.yaml: train: images/other: the folder is missing"),
        ("train: images/train", "data.yaml names no classes; add names:"),
        ("names: cat: dog", "data.yaml, line 1: no valid YAML .*; expected data.yaml with names"),
        ("names: [\n1, 2\ntrain: x", "data.yaml, line 3: no valid YAML"),
        ("just text", "data.yaml, line 1: holds no keys"),
        ("train: images/train\nnames: {cat: 0}", "data.yaml: names is neither a list of class names"),
        ("train: {a: b}\nnames: [cat]", "data.yaml: train holds a dict; write a folder, or a list of folders"),
        (None, "holds no data.yaml and no classes.txt"),
    ],
)
def test_unusable_descriptions_get_one_clear_error(tmp_path, data, message):
    with pytest.raises(DatasetFormatError, match=message):
        list_yolo(dataset(tmp_path, data), 10)


def test_two_descriptions_are_an_error(tmp_path):
    root = dataset(tmp_path, None)
    for name in ("coco.yaml", "mine.yml"):
        (root / name).write_text(DATA)
    with pytest.raises(DatasetFormatError, match=r"holds coco\.yaml and mine.yml; call the one that counts data.yaml"):
        list_yolo(root, 10)


def test_labels_in_the_wrong_place_are_an_error(tmp_path):
    root = dataset(tmp_path)
    (root / "labels").rename(root / "annotations")
    with pytest.raises(DatasetFormatError, match=r"none of 2 images in .* has a label file; labels are looked for"):
        list_yolo(root, 10)


def test_python_objects_in_yaml_are_not_made(tmp_path):
    root = dataset(tmp_path, DATA + f"x: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    assert splits(list_yolo(root, 10)) == BOTH
    assert not (tmp_path / "made").exists()
