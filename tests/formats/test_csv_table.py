from pathlib import Path

import pytest
from factories import noise_image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.csv_table import list_csv
from diffaug_pipeline.formats.source import Listing

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax"


def picture(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise_image(seed, (40, 30)).save(path)


def write(file: Path, *rows: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(rows), encoding="utf-8")


def stated(listing: Listing) -> dict[str, list[tuple]]:
    return {
        candidate.image_id: [(box.label, box.xyxy) for box in candidate.annotations.boxes]
        for candidate in listing.candidates
    }


def splits(listing: Listing) -> dict[str, str | None]:
    return {candidate.image_id: candidate.split for candidate in listing.candidates}


def test_rows_of_one_image_belong_together_and_a_row_without_box_is_a_negative(tmp_path):
    for number, name in enumerate("abc"):
        picture(tmp_path / "images" / f"{name}.png", number)
    rows = "a.png,40,30,cat,1,2,3,4", "b.png,40,30,,,,,", "a.png,40,30,dog,5,6,7.5,8", ""
    write(tmp_path / "labels.csv", HEADER, *rows)
    listing = list_csv(tmp_path, 10)
    assert stated(listing) == {
        "images/a.png": [("cat", (1, 2, 3, 4)), ("dog", (5, 6, 7.5, 8))],
        "images/b.png": [],
    }
    assert listing.refused == {"images/c.png": "not in the annotations"}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path;x1;y1;x2;y2;Label;Split", "a.png;1;2;3;4;cat;train"),
        ("\ufeffImage\tclass_name\tleft\ttop\tright\tbottom", "a.png\tcat\t1\t2\t3\t4"),
        ('"file_name","category","x_min","y_min","x_max","y_max"', '"a.png","cat","1","2","3","4"'),
    ],
)
def test_other_usual_headers(tmp_path, header, row):
    picture(tmp_path / "a.png")
    write(tmp_path / "a.csv", header, row)
    assert stated(list_csv(tmp_path, 10)) == {"a.png": [("cat", (1, 2, 3, 4))]}


def test_splits_from_a_column(tmp_path):
    for number, name in enumerate("abc"):
        picture(tmp_path / f"{name}.png", number)
    rows = "a.png,cat,1,2,3,4,TRAIN", "b.png,cat,1,2,3,4,validation", "c.png,cat,1,2,3,4,extra"
    write(tmp_path / "a.csv", "filename,class,xmin,ymin,xmax,ymax,split", *rows)
    listing = list_csv(tmp_path, 10)
    assert splits(listing) == {"a.png": "train", "b.png": "val"}
    assert listing.refused == {"c.png": "its split 'extra' is none of train, val and test"}


def test_splits_from_files_and_folders(tmp_path):
    for number, split in enumerate(("train", "test")):
        picture(tmp_path / split / "a.png", number)
        write(tmp_path / f"{split}_labels.csv", HEADER, "a.png,40,30,cat,1,2,3,4")
    picture(tmp_path / "valid" / "a.png", 9)
    write(tmp_path / "valid" / "_annotations.csv", HEADER, "a.png,40,30,cat,1,2,3,4")
    assert splits(list_csv(tmp_path, 10)) == {"test/a.png": "test", "train/a.png": "train", "valid/a.png": "val"}


def test_bad_rows_are_marked(tmp_path):
    picture(tmp_path / "a.png")
    write(tmp_path / "a.csv", HEADER, "a.png,,,cat,1,2,x,4", "a.png,,,,1,2,3,4", "a.png,,,cat", "a.png,,,cat,1,2,inf,4")
    boxes = list_csv(tmp_path, 10).candidates[0].annotations.boxes
    assert [box.known_class for box in boxes] == [True, False, True, True]
    assert [str(box.xyxy[2]) for box in boxes] == ["nan", "3.0", "nan", "nan"]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "link.png"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    picture(tmp_path / "secret.png")
    root = tmp_path / "mine"
    picture(root / "a.png")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    write(root / "a.csv", HEADER, "a.png,,,cat,1,2,3,4", f"{name},,,cat,1,2,3,4", "gone.png,,,cat,1,2,3,4")
    refused = list_csv(root, 10).refused
    assert refused[name] == "leaves the dataset folder"
    assert refused["gone.png"] == "the file is missing"


def test_other_tables_are_refused_by_name(tmp_path):
    picture(tmp_path / "a.png")
    write(tmp_path / "a.csv", HEADER, "a.png,,,cat,1,2,3,4")
    write(tmp_path / "results.csv", "epoch,loss", "1,2")
    assert list_csv(tmp_path, 10).refused["results.csv"].startswith("not a table of boxes; expected a header like")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a.png,1,2,3,4,cat\n",
            "holds no table of boxes but a.csv: a.png,1,2,3,4,cat; expected a header like filename",
        ),
        (HEADER.encode() + b"\na.png,,,c\xff,1,2,3,4", r"a.csv, line 2: no valid CSV \(.*utf-8.*\); expected a header"),
        (HEADER.encode() + b"\na.png,,,c,1,2,3,4\n" + b"x" * 200_000, r"a.csv, line 3: no valid CSV \(field larger"),
    ],
)
def test_unusable_files_get_one_clear_error(tmp_path, content, message):
    picture(tmp_path / "a.png")
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetFormatError, match=message):
        list_csv(tmp_path, 10)
