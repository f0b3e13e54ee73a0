"""WebDataset: tar files read front to back, in which the files of a sample share a name and follow one another."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from diffaug_pipeline.formats.image_files import file_stems, portable_files
from diffaug_pipeline.formats.provenance import provenance_records
from diffaug_pipeline.formats.shards import cut_into_shards
from diffaug_pipeline.imaging.image_set import SPLITS, ImageSet

DECODED_FORMATS = ("JPEG", "PNG")
"""What the library decodes."""


def write_webdataset(images: ImageSet, folder: Path, shard_megabytes: float) -> None:
    """`<split>-000000.tar`, …: per image `<key>.png` or `.jpg`, `<key>.json`, and for classification `<key>.cls`.

    The JSON document has the `label`, or `boxes` as records in pixels (`imaging.boxes`), and the provenance; `.cls` is
    the number of the class among the sorted class names, which lie in `classes.txt`. Equal images give equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in images.class_names), encoding="utf-8")
    keys = dict(zip(images.index["image_id"], file_stems(images.index["image_id"]), strict=True))
    for split in SPLITS:
        for number, shard in enumerate(cut_into_shards(images.where(split=split), shard_megabytes)):
            _write_shard(shard, folder / f"{split}-{number:06d}.tar", keys, images.class_names)


def _write_shard(images: ImageSet, file: Path, keys: dict[str, str], class_names: list[str]) -> None:
    with tarfile.open(file, "w") as tar:
        samples = zip(portable_files(images, DECODED_FORMATS), _documents(images), strict=True)
        for picture, document in samples:
            key = keys[document["image_id"]]
            _add(tar, f"{key}{picture.suffix}", picture.content)
            if images.target == "label":
                _add(tar, f"{key}.cls", str(class_names.index(document["label"])).encode())
            _add(tar, f"{key}.json", json.dumps(document, ensure_ascii=False).encode())


def _documents(images: ImageSet) -> list[dict[str, Any]]:
    targets = images.index["label"] if images.target == "label" else [boxes.records() for boxes in images.boxes]
    return [
        provenance | {images.target: target}
        for provenance, target in zip(provenance_records(images), targets, strict=True)
    ]


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)  # its time is 0, its owner nobody
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
