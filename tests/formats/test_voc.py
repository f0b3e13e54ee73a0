from pathlib import Path

import pytest
from factories import noise_image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.source import Listing
from diffaug_pipeline.formats.voc import list_voc


def thing(name: str = "cat", corners: tuple = (1, 2, 10, 20), more: str = "") -> str:
    named = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    sides = "".join(f"<{side}>{value}</{side}>" for side, value in named)
    return f"<object><name>{name}</name>{more}<bndbox>{sides}</bndbox></object>"


def write(file: Path, *objects: str, file_name: str = "", size: tuple[int, int] = (40, 30)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    file.write_text(f"<annotation><filename>{file_name}</filename>{sides}{''.join(objects)}</annotation>")


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise_image(seed, (40, 30)).save(path)


def stated(listing: Listing) -> dict[str, list[tuple]]:
    return {
        candidate.image_id: [(box.label, box.xyxy) for box in candidate.annotations.boxes]
        for candidate in listing.candidates
    }


def splits(listing: Listing) -> dict[str, str | None]:
    return {candidate.image_id: candidate.split for candidate in listing.candidates}


def devkit(root: Path) -> Path:
    for number, name in enumerate("abcd"):
        picture(root / "JPEGImages" / f"{name}.jpg", number)
        write(root / "Annotations" / f"{name}.xml", thing())
    for split, names in (("train", "a\nb\n"), ("val", "c\n"), ("trainval", "a\nb\nc\n"), ("cat_train", "a 1\nb -1\n")):
        file = root / "ImageSets" / "Main" / f"{split}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(names)
    return root


def test_pixels_count_from_one_and_include_the_last(tmp_path):
    listing = list_voc(devkit(tmp_path), 10)
    assert stated(listing)["JPEGImages/a.jpg"] == [("cat", (0, 1, 10, 20))]
    assert listing.candidates[0].annotations.recorded_size_px == (40, 30)


def test_splits_are_those_of_the_image_sets(tmp_path):
    root = devkit(tmp_path / "VOCdevkit" / "VOC2007")
    (root / "ImageSets" / "Main" / "val.txt").write_text("c\ngone\n")
    picture(root / "JPEGImages" / "extra.jpg", 9)
    listing = list_voc(tmp_path, 10)
    folder = "VOCdevkit/VOC2007/JPEGImages"
    assert splits(listing) == {f"{folder}/a.jpg": "train", f"{folder}/b.jpg": "train", f"{folder}/c.jpg": "val"}
    assert listing.refused == {
        f"{folder}/d.jpg": "in none of the lists in ImageSets/Main",
        f"{folder}/extra.jpg": "has no annotation file",
        "gone": "listed in VOCdevkit/VOC2007/ImageSets/Main/val.txt, but has no annotation file",
    }


def test_pairs_in_split_folders(tmp_path):
    for number, split in enumerate(("train", "valid")):
        picture(tmp_path / split / "a.png", number)
        write(tmp_path / split / "a.xml", thing())
    assert splits(list_voc(tmp_path, 10)) == {"train/a.png": "train", "valid/a.png": "val"}


def test_pairs_in_one_folder_and_in_images_and_annotations(tmp_path):
    picture(tmp_path / "flat" / "a.PNG")
    write(tmp_path / "flat" / "a.xml")
    picture(tmp_path / "apart" / "images" / "b.png", 1)
    write(tmp_path / "apart" / "annotations" / "b.xml", thing())
    assert stated(list_voc(tmp_path / "flat", 10)) == {"a.PNG": []}
    assert set(stated(list_voc(tmp_path / "apart", 10))) == {"images/b.png"}


def test_the_file_name_counts_where_no_picture_is_called_like_the_annotations(tmp_path):
    picture(tmp_path / "JPEGImages" / "other.png")
    write(tmp_path / "Annotations" / "000.xml", thing(), file_name="other.png")
    assert set(stated(list_voc(tmp_path, 10))) == {"JPEGImages/other.png"}


def test_difficult_objects_are_ignored_and_truncated_ones_are_not(tmp_path):
    picture(tmp_path / "a.png")
    difficult, truncated = "<difficult>1</difficult>", "<truncated>1</truncated><difficult>0</difficult>"
    broken = "<object><name>cat</name></object>", thing("", (1, 2, "x", 4))
    write(tmp_path / "a.xml", thing(more=difficult), thing(more=truncated), *broken)
    boxes = list_voc(tmp_path, 10).candidates[0].annotations.boxes
    assert [box.ignored for box in boxes] == [True, False, False, False]
    assert [box.known_class for box in boxes] == [True, True, True, False]
    assert [str(box.xyxy[2]) for box in boxes] == ["10.0", "10.0", "nan", "nan"]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "link.png"])
def test_file_names_that_leave_the_folder_are_refused(tmp_path, name):
    picture(tmp_path / "secret.png")
    root = devkit(tmp_path / "mine")
    (root / "Annotations" / "link.png").symlink_to(tmp_path / "secret.png")
    write(root / "Annotations" / "e.xml", thing(), file_name=name)
    assert list_voc(root, 10).refused[name] == "leaves the dataset folder (annotated in Annotations/e.xml)"


def test_missing_pictures_and_other_xml_are_refused(tmp_path):
    root = devkit(tmp_path)
    write(root / "Annotations" / "e.xml", thing())
    (root / "notes.xml").write_text("<html/>")
    refused = list_voc(root, 10).refused
    assert refused["e"] == "the file is missing (annotated in Annotations/e.xml)"
    assert refused["notes.xml"] == "<html> is no Pascal VOC annotation"


BOMB = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<annotation>&x;</annotation>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB.encode(), "e.xml, line 2: DOCTYPE and ENTITY declarations are not read; remove them"),
        (BOMB.encode("utf-16"), "e.xml, line 2: DOCTYPE and ENTITY declarations are not read"),
        (
            b"<annotation>\n<object>\n</annotation>",
            r"e.xml, line 3: no valid XML \(mismatched tag\); expected a Pascal",
        ),
        (b"", r"e.xml, line 1: no valid XML \(no element found\)"),
        (b'<?xml version="1.0" encoding="no-such"?><annotation/>', "e.xml, line 1: no valid XML"),
    ],
)
def test_unusable_files_get_one_clear_error(tmp_path, content, message):
    root = devkit(tmp_path)
    (root / "Annotations" / "e.xml").write_bytes(content)
    with pytest.raises(DatasetFormatError, match=message):
        list_voc(root, 10)


def test_a_folder_without_xml_is_an_error(tmp_path):
    with pytest.raises(DatasetFormatError, match=r"holds no \.xml files; expected a Pascal VOC file"):
        list_voc(tmp_path, 10)
