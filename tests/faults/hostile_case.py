"""What a hostile dataset is: a good small one, and one thing done to it that nobody should have to survive."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from factories import noise_image, smooth_image

PICTURES = 6
"""Of each class, or of scenes; the least that can be split three ways with both classes in each."""
SIZE_PX = (64, 48)
CLASSES = ("cat", "dog")
BOXES = (("cat", (2.0, 3.0, 22.0, 30.0)), ("dog", (30.0, 8.0, 60.0, 40.0)))
SECRET = "the canary sings"
"""Stands in files beside the dataset; nothing that ingestion returns may hold it."""

Outcome = Literal["refused", "used", "either"]
Boxes = Sequence[tuple[str, Sequence[Any]]]


@dataclass(frozen=True)
class Case:
    """One hostile dataset. `build` is given the folder to fill, and one beside it with what must not be read."""

    name: str
    kind: str
    """Its row in the table of results."""
    task: Literal["classification", "detection"]
    build: Callable[[Path, Path], None]
    outcome: Outcome = "either"
    """What has to become of it: the dataset or the file is refused, all of it is used, or one or the other."""
    names: tuple[str, ...] = ()
    """What the report has to name of it; empty where the whole dataset is refused."""
    dataset: str = "."
    """What is named as the dataset, relative to the folder."""
    options: dict[str, Any] = field(default_factory=dict)


def fill_canaries(outside: Path) -> None:
    """Files that a dataset may point at and ingestion must not look into."""
    outside.mkdir(parents=True)
    noise_image(987_654).save(outside / "canary.png")
    for suffix in ("txt", "json", "csv", "xml", "yaml"):
        (outside / f"canary.{suffix}").write_text(SECRET)
    (outside / "canaries").mkdir()
    noise_image(987_655).save(outside / "canaries" / "canary.png")


def to(outside: Path, root: Path, name: str) -> str:
    """The relative path from the dataset `root` to the canary `name`."""
    return os.path.relpath(outside / name, root)


def class_folders(root: Path) -> None:
    """A good dataset of cats and dogs."""
    for label in CLASSES:
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(PICTURES):
            smooth_image(f"{label} {number}", SIZE_PX).save(root / label / f"{number}.png")


def picture_case(name: str, kind: str, content: Callable[[], bytes], outcome: Outcome = "either", **more: Any) -> Case:
    """A hostile file among good pictures; its name in the folder is `file`."""
    file = more.pop("file", "hostile.png")

    def build(root: Path, outside: Path) -> None:
        class_folders(root)
        (root / "dog" / file).write_bytes(content())

    return Case(name, kind, "classification", build, outcome, (f"dog/{file}",), **more)


def folder_case(name: str, kind: str, change: Callable[[Path, Path], None], *, outcome: Outcome, **more: Any) -> Case:
    """Something done to a good folder of cats and dogs."""

    def build(root: Path, outside: Path) -> None:
        class_folders(root)
        change(root, outside)

    return Case(name, kind, "classification", build, outcome, **more)


@dataclass
class Scenes:
    """A dataset with boxes, as raw as a file can state it, before it is written in a format."""

    boxes: dict[str, Boxes] = field(default_factory=lambda: {f"scene{number}.png": BOXES for number in range(PICTURES)})
    """By file name; corners in pixels, numbers or what stands in their place."""
    classes: tuple[str, ...] = CLASSES

    def with_boxes(self, boxes: Boxes) -> "Scenes":
        """The first scene has `boxes` behind its own."""
        return Scenes(self.boxes | {"scene0.png": (*BOXES, *boxes)}, self.classes)

    def with_image(self, name: str) -> "Scenes":
        """One scene more."""
        return Scenes(self.boxes | {name: BOXES}, self.classes)

    def with_class(self, name: str) -> "Scenes":
        """In place of the dogs."""
        renamed = {
            image: tuple((name if label == "dog" else label, corners) for label, corners in boxes)
            for image, boxes in self.boxes.items()
        }
        return Scenes(renamed, ("cat", name))


def draw(folder: Path) -> None:
    """The pictures of `Scenes`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(PICTURES):
        smooth_image(f"scene {number}", SIZE_PX).save(folder / f"scene{number}.png")


def write_coco(root: Path, scenes: Scenes) -> Path:
    """Pictures and `annotations.json`, which is returned."""
    draw(root / "images")
    file = root / "annotations.json"
    file.write_text(json.dumps(coco_document(scenes)), encoding="utf-8")
    return file


def coco_document(scenes: Scenes) -> dict[str, list[dict[str, Any]]]:
    """As JSON has it; what is no number stands for itself in a box."""
    images = [
        {"id": number, "file_name": name, "width": SIZE_PX[0], "height": SIZE_PX[1]}
        for number, name in enumerate(scenes.boxes)
    ]
    annotations = [
        {"image_id": number, "category_id": scenes.classes.index(label) if label in scenes.classes else label}
        | {"bbox": _as_xywh(corners)}
        for number, boxes in enumerate(scenes.boxes.values())
        for label, corners in boxes
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(scenes.classes)]
    return {
        "images": images,
        "annotations": [{"id": number} | entry for number, entry in enumerate(annotations)],
        "categories": categories,
    }


def _as_xywh(corners: Sequence[Any]) -> list[Any]:
    try:
        left, top, right, bottom = corners
        return [left, top, right - left, bottom - top]
    except (TypeError, ValueError):
        return list(corners)


def write_yolo(root: Path, scenes: Scenes) -> Path:
    """Pictures, a label file for each, and `data.yaml`, which is returned; splits are drawn from `train`."""
    draw(root / "images")
    (root / "labels").mkdir(parents=True, exist_ok=True)
    for name, boxes in scenes.boxes.items():
        lines = [_yolo_line(scenes.classes.index(label), corners) for label, corners in boxes]
        if name.startswith("scene"):
            (root / "labels" / f"{Path(name).stem}.txt").write_text("\n".join(lines))
    (root / "list.txt").write_text("".join(_listed(name) for name in scenes.boxes), encoding="utf-8")
    file = root / "data.yaml"
    names = "".join(f"  {number}: {json.dumps(name)}\n" for number, name in enumerate(scenes.classes))
    file.write_text(f"train: list.txt\nnames:\n{names}", encoding="utf-8")
    return file


def _listed(name: str) -> str:
    return f"images/{name}\n" if name.startswith("scene") else f"{name}\n"


def _yolo_line(index: int, corners: Sequence[Any]) -> str:
    try:
        left, top, right, bottom = (float(value) / side for value, side in zip(corners, SIZE_PX * 2, strict=True))
        values: Sequence[Any] = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    except (TypeError, ValueError, OverflowError):
        values = corners
    return " ".join(map(str, (index, *values)))


def write_voc(root: Path, scenes: Scenes) -> Path:
    """`JPEGImages` and `Annotations`; the file of the last scene is returned."""
    draw(root / "JPEGImages")
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    for number, (name, boxes) in enumerate(scenes.boxes.items()):
        file = root / "Annotations" / (f"{name[:-4]}.xml" if name.startswith("scene") else f"other{number}.xml")
        file.write_text(voc_text(name, boxes), encoding="utf-8")
    return file


def voc_text(name: str, boxes: Boxes) -> str:
    """One annotation file."""
    size = f"<size><width>{SIZE_PX[0]}</width><height>{SIZE_PX[1]}</height></size>"
    objects = "".join(
        f"<object><name>{escape(label)}</name><bndbox>"
        + "".join(f"<{side}>{value}</{side}>" for side, value in zip(CORNERS, corners, strict=False))
        + "</bndbox></object>"
        for label, corners in boxes
    )
    return f"<annotation><filename>{escape(name)}</filename>{size}{objects}</annotation>"


def write_csv(root: Path, scenes: Scenes) -> Path:
    """Pictures and `boxes.csv`, which is returned."""
    draw(root / "images")
    lines = ["filename,class,xmin,ymin,xmax,ymax"]
    for name, boxes in scenes.boxes.items():
        lines += [",".join(map(_quoted, (name, label, *corners))) for label, corners in boxes]
    file = root / "boxes.csv"
    file.write_text("\n".join(lines), encoding="utf-8", newline="")
    return file


def _quoted(value: Any) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n\r') else text


CORNERS = ("xmin", "ymin", "xmax", "ymax")
FORMATS: dict[str, Callable[[Path, Scenes], Path]] = {
    "coco": write_coco,
    "yolo": write_yolo,
    "voc": write_voc,
    "csv": write_csv,
}


def scene_case(name: str, kind: str, dataset_format: str, scenes: Scenes, **more: Any) -> Case:
    """Hostile content, written in the format."""

    def build(root: Path, outside: Path) -> None:
        FORMATS[dataset_format](root, scenes)

    return Case(f"{name} in {dataset_format}", kind, "detection", build, **more)


def file_case(
    name: str,
    kind: str,
    dataset_format: str,
    change: Callable[[Path, Path], None],
    scenes: Scenes | None = None,
    **more: Any,
) -> Case:
    """A good dataset whose annotation file is then changed; `change` is given that file and the folder outside."""

    def build(root: Path, outside: Path) -> None:
        change(FORMATS[dataset_format](root, scenes or Scenes()), outside)

    return Case(f"{name} in {dataset_format}", kind, "detection", build, **more)
