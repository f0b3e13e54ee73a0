"""Small real things to test with: pictures, image sets, model folders built from config."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def noise_image(seed: int, size_px: tuple[int, int] = (32, 32)) -> Image.Image:
    """A picture like no other seed's."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size_px[1], size_px[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def smooth_image(name: str, size_px: tuple[int, int] = (32, 32)) -> Image.Image:
    """A picture of soft blots, like no other name's, that survives resizing and JPEG as photographs do."""
    blots = np.random.default_rng(zlib.crc32(name.encode())).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(blots).resize(size_px, Image.Resampling.BICUBIC)


def real_row(path: Path, image_id: str, split: str, **target: Any) -> dict[str, Any]:
    """What an index says of a picture in a file; `target` is its `label` or its `boxes`."""
    with Image.open(path) as image:
        width, height = image.size
    return {
        "image_id": image_id,
        "path": str(path),
        "width_px": width,
        "height_px": height,
        "split": split,
        "origin": "real",
        **target,
        "size_bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "recipe": None,
    }


def real_image_set(folder: Path, per_split: dict[str, int], class_names: tuple[str, ...] = ("cat", "dog")) -> ImageSet:
    """Files on disk with an index, `per_split` of each class."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for class_number, label in enumerate(class_names):
        for split_number, (split, count) in enumerate(per_split.items()):
            for number in range(count):
                path = folder / f"{label}-{split}-{number}.png"
                noise_image(class_number * 10_000 + split_number * 1_000 + number).save(path)
                rows.append(real_row(path, f"{label}/{split}/{number}", split, label=label))
    return ImageSet(pd.DataFrame(rows))


ANNOTATED = (
    ("train", (90, 61), (("bag", (10, 8, 40.5, 45), False), ("coat", (60, 5, 88, 30), False))),
    ("train", (47, 120), (("coat", (5, 50, 44, 84.5), False), ("bag", (0, 0, 12, 9), True))),
    ("train", (64, 64), (("bag", (20, 20, 25, 26), False),)),
    ("train", (33, 50), ()),
    ("test", (70, 40), (("bag", (1, 1, 30, 39), False),)),
)
"""Split, size (width, height) and boxes (class name, xyxy, ignored) of five pictures."""


def annotated_image_set(folder: Path, pictures: tuple = ANNOTATED) -> ImageSet:
    """Files on disk with boxes: objects are noise on smooth ground; `pictures` are like those of `ANNOTATED`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (split, size, boxes) in enumerate(pictures):
        image, path = smooth_image(f"ground {number}", size), folder / f"{number}.png"
        for box_number, (_, (left, top, right, bottom), _) in enumerate(boxes):
            whole = int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))
            image.paste(noise_image(100 * number + box_number, (whole[2] - whole[0], whole[3] - whole[1])), whole)
        image.save(path)
        records = [
            {"label": label, "xyxy": [float(x) for x in xyxy], "ignored": ignored} for label, xyxy, ignored in boxes
        ]
        rows.append(real_row(path, f"scene {number}", split, boxes=records))
    return ImageSet(pd.DataFrame(rows))


ANIMAL_SIZES = ((96, 48), (50, 77), (64, 64))
"""Width and height of the pictures of `cats_and_dogs`, in turn."""


def cats_and_dogs(folder: Path) -> ImageSet:
    """White squares, *cats*, and blue discs, *dogs*, on gray: a detector learns them within thirty steps."""
    pictures = [
        _cats_and_dogs(split, number, ANIMAL_SIZES[number % len(ANIMAL_SIZES)])
        for split, count in (("train", 12), ("val", 6), ("test", 6))
        for number in range(count)
    ]
    images = annotated_image_set(folder, tuple(pictures))
    for row in images.index.itertuples():
        scene = Image.new("RGB", (row.width_px, row.height_px), (110, 110, 110))
        pen = ImageDraw.Draw(scene)
        for box in row.boxes:
            left, top, right, bottom = box["xyxy"]
            draw, color = (pen.rectangle, "white") if box["label"] == "cat" else (pen.ellipse, "royalblue")
            draw((left, top, right - 1, bottom - 1), fill=color)
        scene.save(row.path)
    return rehashed(images)


def _cats_and_dogs(split: str, number: int, size: tuple[int, int]) -> tuple:
    """One animal or two side by side, as a row of `annotated_image_set`."""
    rng = np.random.default_rng(zlib.crc32(f"{split}{number}".encode()))
    animals = 1 + number % 2
    room = size[0] // animals
    boxes = []
    for k in range(animals):
        side = int(rng.integers(min(size) // 4, int(0.45 * min(size))))
        left, top = k * room + int(rng.integers(0, room - side + 1)), int(rng.integers(0, size[1] - side + 1))
        boxes.append((("cat", "dog")[(number // 2 + k) % 2], (left, top, left + side, top + side), False))
    return split, size, tuple(boxes)


def rehashed(images: ImageSet) -> ImageSet:
    """The same index after the files were changed."""
    digests = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in images.index["path"]]
    return ImageSet(images.index.assign(sha256=digests))


def plan(count: int, label: str = "cat", offset: int = 0) -> pd.DataFrame:
    """Rows of images to make; the recipe names the seed."""
    seeds = range(offset, offset + count)
    return pd.DataFrame(
        {
            "image_id": [f"synthetic:{label}/{seed:06d}" for seed in seeds],
            "width_px": 32,
            "height_px": 32,
            "split": "train",
            "origin": "synthetic",
            "label": label,
            "seed": seeds,
            "source_image_id": None,
            "recipe": [f"recipe{seed:06d}" for seed in seeds],
        }
    )


def generator_preset(model: str, **changes) -> GeneratorPreset:
    """A preset for 16x16 pictures."""
    values = {
        "model": model,
        "revision": None,
        "variant": None,
        "adapters": [],
        "licence": "MIT",
        "commercial_use": True,
        "width_px": 16,
        "height_px": 16,
        "scheduler": "ddim",
        "num_inference_steps": 5,
        "guidance_scale": {"text_to_image": 2, "image_to_image": 2, "inpainting": 2},
        "vocabulary": "plain",
    }
    return GeneratorPreset(**values | changes)


def synthesis_options(**changes) -> SynthesisOptions:
    """Text-to-image on the CPU with what the preset says."""
    values = {
        "generator": "tiny",
        "mode": "text_to_image",
        "images_per_class": 8,
        "strength": 0.5,
        "scheduler": None,
        "eta": None,
        "timestep_spacing": None,
        "num_inference_steps": None,
        "guidance_scale": None,
        "fit": "cover",
        "output_size": "model",
        "batch_size": 4,
        "dtype": "float32",
        "device": "cpu",
        "engine": "local",
        "workers": None,
        "allow_unknown_classes": False,
        "seed": 0,
    }
    return SynthesisOptions(**values | changes)


def labelling_options(**changes) -> LabellingOptions:
    """Background inpainting of four images on the CPU; the blocks of all strategies are filled."""
    values = {
        "strategy": "background_inpainting",
        "images": 4,
        "batch_size": 2,
        "device": "cpu",
        "seed": 0,
        "composition": {
            "matting": "dark_ground",
            "matting_model": "none",
            "min_objects": 1,
            "max_objects": 2,
            "min_visible": 0.5,
            "feather_px": [0.0, 1.0],
            "match_colors": True,
        },
        "background_inpainting": {
            "prompts": ["an empty room", "a lawn", "a street"],
            "margin": 0.1,
            "feather_px": 2.0,
        },
        "object_inpainting": {"context": 0.5, "feather_px": 1.0, "change_threshold": 0.05, "min_changed": 0.3},
        "pseudo_labelling": {
            "detector": "none",
            "revision": None,
            "confidence": 0.3,
            "iou": 0.5,
            "classes_per_scene": 2,
        },
    }
    return LabellingOptions(**values | changes)


def detection_options(**changes) -> DetectionTrainingOptions:
    """A few seconds of a small YOLO on the CPU, without mosaics; `augmentation` may name some of its fields."""
    plain = dict.fromkeys(("mosaic", "scale", "translate", "degrees", "hsv_h", "hsv_s", "hsv_v"), 0.0)
    augmentation = plain | {"steps_without_mosaic": 0, "fliplr": 0.5} | changes.pop("augmentation", {})
    values = {
        "architecture": "yolo11n",
        "weights": "embedded:detector",
        "input_size_px": 64,
        "fit": "contain",
        "steps": 30,
        "batch_size": 12,
        "learning_rate": 0.002,
        "warmup_steps": 3,
        "weight_decay": 0.0,
        "gains": {"box": 7.5, "cls": 0.5, "dfl": 1.5},
        "augmentation": augmentation,
        "min_confidence": 0.001,
        "nms_iou": 0.7,
        "evaluations": 3,
        "seeds": [0, 1],
        "workers": 1,
        "device": "cpu",
    }
    return DetectionTrainingOptions(**values | changes)


class Maker:
    """Makes noise pictures and remembers the batches it was asked for."""

    def __init__(self, fail_at_batch: int | None = None):
        self.batches: list[list[str]] = []
        self._fail_at_batch = fail_at_batch

    def __call__(self, rows: pd.DataFrame) -> list[EncodedImage]:
        if self._fail_at_batch == len(self.batches):
            raise RuntimeError("out of memory")
        self.batches.append(rows["recipe"].tolist())
        return [EncodedImage(encode_png(noise_image(int(seed))), ".png") for seed in rows["seed"]]

    @property
    def made(self) -> list[str]:
        return [recipe for batch in self.batches for recipe in batch]


def planned(rows: pd.DataFrame, maker: Maker, batch_size: int = 4) -> PlannedImageSet:
    """`rows` to be made by `maker`."""
    return PlannedImageSet(rows, maker, batch_size=batch_size)


def tree_bytes(folder: Path) -> dict[str, bytes]:
    """Content of every file below `folder`, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def write_fashion_mnist(folder: Path, per_class: int) -> Path:
    """The four idx files of a made-up Fashion-MNIST: `per_class` training and as many test pictures of each class."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        labels = np.repeat(np.arange(10, dtype=np.uint8), per_class)
        images = rng.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        images[:, :4] = images[:, -4:] = images[:, :, :4] = images[:, :, -4:] = 0
        sizes = b"".join(size.to_bytes(4, "big") for size in images.shape)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\x00\x00\x08\x03" + sizes + images.tobytes())
        count = len(labels).to_bytes(4, "big")
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01" + count + labels.tobytes())
    return folder


def write_labelled_folder(root: Path) -> Path:
    """A folder of JPEGs per class, some of them damaged."""
    for label, color in (("red panda", "firebrick"), ("polar bear", "ivory"), ("garden gnome", "seagreen")):
        folder = root / label
        folder.mkdir(parents=True)
        for number in range(12):
            picture = smooth_image(f"{label}{number}", (90 + 37 * number, 200 - 11 * number))
            picture.paste(color, (10, 10, 60, 50))
            picture.save(folder / f"IMG {number:04d}.JPG", quality=88)
    whole = (root / "red panda" / "IMG 0000.JPG").read_bytes()
    (root / "red panda" / "cut off.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "polar bear" / "empty.jpg").write_bytes(b"")
    (root / "garden gnome" / "notes.jpg").write_text("not a picture at all")
    return root


SHAPES = {"circle": "crimson", "square": "limegreen", "triangle": "royalblue"}
BAD_BOXES = {"duplicate": 1, "outside": 1, "partly_outside": 1, "too_small": 1, "unknown_class": 1}
"""What `write_coco_folder` and `write_yolo_folder` put among the good boxes, as ingestion counts it."""


@dataclass(frozen=True)
class Scene:
    """A picture with shapes, and where they are."""

    name: str
    split: str
    image: Image.Image
    objects: list[tuple[str, tuple[float, float, float, float]]]
    """Class and left, top, right, bottom in pixels."""


def draw_scenes(per_split: dict[str, int]) -> list[Scene]:
    """Pictures of 40 to 130 px with one to three coloured shapes, and a last one of train without any."""
    scenes = []
    for split, count in per_split.items():
        for number in range(count):
            rng = np.random.default_rng(zlib.crc32(f"{split}{number}".encode()))
            image = smooth_image(f"{split}{number}", tuple(int(side) for side in rng.integers(40, 131, 2)))
            objects = [_draw_shape(image, rng, number + k, k) for k in range(1 + number % 3)]
            scenes.append(Scene(f"{split}_{number:03d}", split, image, objects))
    return [*scenes, Scene("train_empty", "train", smooth_image("empty", (77, 51)), [])]


def _draw_shape(
    image: Image.Image, rng: np.random.Generator, number: int, quarter: int
) -> tuple[str, tuple[float, float, float, float]]:
    """A shape inside a quarter of the picture, the first one at its left border."""
    label = list(SHAPES)[number % len(SHAPES)]
    half = image.width // 2, image.height // 2
    side = int(rng.integers(min(half) // 2, min(half) - 3))
    left = half[0] + 2 if quarter % 2 else 0
    top = (half[1] + 2 if quarter // 2 else 1) + int(rng.integers(0, min(half) - 2 - side))
    box = (left, top, left + side, top + side)
    inside = (left, top, left + side - 1, top + side - 1)
    pen = ImageDraw.Draw(image)
    if label == "circle":
        pen.ellipse(inside, fill=SHAPES[label])
    elif label == "square":
        pen.rectangle(inside, fill=SHAPES[label])
    else:
        pen.polygon([(left, inside[3]), (inside[2], inside[3]), (left + side // 2, top)], fill=SHAPES[label])
    return label, box


def _with_bad_boxes(scenes: list[Scene]) -> dict[str, list[tuple[str, tuple[float, float, float, float]]]]:
    """Objects by scene name; bad boxes stand in the first training scenes, `unknown` is a class nobody knows."""
    stated = {scene.name: list(scene.objects) for scene in scenes}
    names = [scene.name for scene in scenes if scene.split == "train"]
    sizes = {scene.name: scene.image.size for scene in scenes}
    label, (_, top, right, bottom) = stated[names[0]][0]
    stated[names[0]][0] = (label, (-6, top, right, bottom))
    stated[names[1]].append(stated[names[1]][0])
    width, height = sizes[names[2]]
    stated[names[2]].append(("circle", (width + 5, 3, width + 20, height - 3)))
    stated[names[3]].append(("square", (7, 9, 7, 20)))
    stated[names[4]].append(("unknown", (2, 2, 12, 12)))
    return stated


def write_coco_folder(folder: Path, per_split: dict[str, int] | None = None) -> Path:
    """`<split>2017` folders with `annotations/instances_<split>2017.json`; ids are sparse and in no order."""
    scenes = draw_scenes(per_split or {"train": 8, "val": 4, "test": 6})
    stated = _with_bad_boxes(scenes)
    categories = {label: 7 * number + 3 for number, label in enumerate(SHAPES)} | {"unknown": 999}
    (folder / "annotations").mkdir(parents=True)
    for split_number, split in enumerate(sorted({scene.split for scene in scenes})):
        (folder / f"{split}2017").mkdir()
        images, annotations = [], []
        for number, scene in enumerate(scene for scene in scenes if scene.split == split):
            image_id = 100_000 * split_number + 7919 * (number + 1) % 1009
            file_name = f"{scene.name}.{'png' if number % 2 else 'jpg'}"
            scene.image.save(folder / f"{split}2017" / file_name, quality=95)
            width, height = scene.image.size
            images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
            for label, (left, top, right, bottom) in stated[scene.name]:
                annotations.append(
                    {
                        "id": 5 * len(annotations) + 1,
                        "image_id": image_id,
                        "category_id": categories[label],
                        "bbox": [left, top, right - left, bottom - top],
                        "iscrowd": 0,
                    }
                )
        known = [{"id": number, "name": label} for label, number in categories.items() if label in SHAPES]
        document = {"images": images, "annotations": annotations[::-1], "categories": known}
        (folder / "annotations" / f"instances_{split}2017.json").write_text(json.dumps(document))
    return folder


def write_yolo_folder(folder: Path, per_split: dict[str, int] | None = None) -> Path:
    """`images/<split>`, `labels/<split>` and `data.yaml`; the picture without objects has no label file."""
    scenes = draw_scenes(per_split or {"train": 8, "val": 4, "test": 6})
    stated = _with_bad_boxes(scenes)
    for number, scene in enumerate(scenes):
        for kind in ("images", "labels"):
            (folder / kind / scene.split).mkdir(parents=True, exist_ok=True)
        scene.image.save(folder / "images" / scene.split / f"{scene.name}.{'png' if number % 2 else 'jpg'}", quality=95)
        width, height = scene.image.size
        lines = []
        for label, (left, top, right, bottom) in stated[scene.name]:
            index = [*SHAPES, "unknown"].index(label)
            center_and_size = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
            shares = np.divide(center_and_size, (width, height, width, height))
            lines.append(" ".join([str(index), *(f"{share:.8f}" for share in shares)]))
        if lines:
            (folder / "labels" / scene.split / f"{scene.name}.txt").write_text("\n".join(lines))
    splits = "".join(f"{split}: images/{split}\n" for split in sorted({scene.split for scene in scenes}))
    (folder / "data.yaml").write_text(f"{splits}names: [{', '.join(SHAPES)}]\n")
    return folder
