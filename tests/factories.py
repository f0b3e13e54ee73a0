"""Small real things to test with: pictures, image sets, model folders built from config."""

import hashlib
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.imaging.image_set import EncodedImage, ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions


def noise_image(seed: int, size_px: tuple[int, int] = (32, 32)) -> Image.Image:
    """A picture like no other seed's."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size_px[1], size_px[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def smooth_image(name: str, size_px: tuple[int, int] = (32, 32)) -> Image.Image:
    """A picture of soft blots, like no other name's, that survives resizing and JPEG as photographs do."""
    blots = np.random.default_rng(zlib.crc32(name.encode())).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(blots).resize(size_px, Image.Resampling.BICUBIC)


def real_image_set(folder: Path, per_split: dict[str, int], class_names: tuple[str, ...] = ("cat", "dog")) -> ImageSet:
    """Files on disk with an index, `per_split` of each class."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for class_number, label in enumerate(class_names):
        for split_number, (split, count) in enumerate(per_split.items()):
            for number in range(count):
                path = folder / f"{label}-{split}-{number}.png"
                noise_image(class_number * 10_000 + split_number * 1_000 + number).save(path)
                rows.append(
                    {
                        "image_id": f"{label}/{split}/{number}",
                        "path": str(path),
                        "width_px": 32,
                        "height_px": 32,
                        "split": split,
                        "origin": "real",
                        "label": label,
                        "size_bytes": path.stat().st_size,
                        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                        "recipe": None,
                    }
                )
    return ImageSet(pd.DataFrame(rows))


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
        "num_inference_steps": None,
        "guidance_scale": None,
        "fit": "cover",
        "batch_size": 4,
        "dtype": "float32",
        "device": "cpu",
        "allow_unknown_classes": False,
        "seed": 0,
    }
    return SynthesisOptions(**values | changes)


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
