"""Pascal VOC: an XML file per image; boxes count pixels from 1 and include the last one.

So `xmin` 1 and `xmax` 1 are the leftmost pixel column, here x from 0 to 1: left = xmin - 1, right = xmax.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET
from xml.parsers import expat

import numpy as np

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.annotated_images import AnnotatedImages
from diffaug_pipeline.formats.files import (
    IMAGE_FOLDERS,
    PICTURE_SUFFIXES,
    annotation_files,
    find_inside,
    is_file,
    read_annotations,
    read_head,
)
from diffaug_pipeline.formats.image_files import export_images
from diffaug_pipeline.formats.source import (
    Annotations,
    Listing,
    RawBox,
    UnreadableError,
    are_splits,
    as_number,
    as_size,
    split_of,
    split_within,
)
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import SPLITS, ImageSet

HEAD_BYTES = 4096
FILES_LOOKED_AT = 5
ANNOTATION_FOLDERS = ("annotations", "xmls", "xml", "labels")
EXPECTED = "expected a Pascal VOC file: <annotation> with <object> elements"


def recognise_voc(root: Path) -> Path | None:
    """A file by which `root` looks like a Pascal VOC dataset."""
    files = islice(annotation_files(root, [".xml"]), FILES_LOOKED_AT)
    return next((file for file in files if b"<annotation" in read_head(file, HEAD_BYTES)), None)


def list_voc(root: Path, max_file_megabytes: float) -> Listing:
    """Every image with an XML file; splits from `ImageSets/Main/{train,val,test}.txt`, else from folder names.

    The image of `a.xml` is `a` with a picture's suffix in the folder that belongs to it, else the one `<filename>`
    names. Truncated objects are ordinary ones, difficult ones are ignored. Raises `DatasetFormatError`.
    """
    root = root.resolve()
    files = annotation_files(root, [".xml"])
    if not files:
        raise DatasetFormatError(f"{root} holds no .xml files; {EXPECTED} per image, e.g. in Annotations.")
    images = AnnotatedImages(root, max_file_megabytes)
    listed = ListedSplits(root)
    folders: set[Path] = set()
    for file in files:
        annotation = read_xml(file)
        if annotation.tag != "annotation":
            images.refuse(file.relative_to(root).as_posix(), f"<{annotation.tag}> is no Pascal VOC annotation")
            continue
        try:
            path = _image(file, annotation.findtext("filename") or "", root)
        except UnreadableError as error:
            name = (annotation.findtext("filename") or "").strip() or file.stem
            images.refuse(name, f"{error} (annotated in {file.relative_to(root).as_posix()})")
            continue
        folders.add(path.parent)
        splits = listed.splits(file)
        for split in splits:
            images.add(path, split, _annotations(annotation))
        if not splits:
            images.refuse_image(path, "in none of the lists in ImageSets/Main")
    for name, list_file in listed.unread():
        images.refuse(name, f"listed in {list_file}, but has no annotation file")
    for folder in sorted(folders):
        if not any(folder.is_relative_to(other) for other in folders - {folder}):
            images.refuse_unmentioned(folder, "has no annotation file")
    return images.listing("voc")


def read_xml(file: Path) -> ET.Element:
    """The root element. Raises `DatasetFormatError` also for a document type, which could pull in other files."""
    builder, parser = ET.TreeBuilder(), expat.ParserCreate()

    def refuse_document_type(*_: object) -> None:
        raise DatasetFormatError(
            f"{file}, line {parser.CurrentLineNumber}: DOCTYPE and ENTITY declarations are not read; remove them."
        )

    parser.StartDoctypeDeclHandler = refuse_document_type
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(read_annotations(file), True)
    except DatasetFormatError:
        raise
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise DatasetFormatError(f"{file}, line {error.lineno}: no valid XML ({reason}); {EXPECTED}.") from error
    except (ValueError, LookupError) as error:
        raise DatasetFormatError(f"{file}, line 1: no valid XML ({error}); {EXPECTED}.") from error
    return builder.close()


class ListedSplits:
    """The split of an annotation file, from `ImageSets/Main`, or from folder names where there is none."""

    def __init__(self, root: Path):
        self._root = root
        self._lists: dict[Path, dict[str, list[tuple[str, str]]]] = {}
        """By devkit folder and image name: (split, list file)."""
        for file in annotation_files(root, [".txt"]):
            split = split_of(file.stem)
            if split is not None and file.parent.parts[-2:] == ("ImageSets", "Main"):
                devkit = self._lists.setdefault(file.parents[2], {})
                for line in read_annotations(file).decode("utf-8-sig", errors="replace").splitlines():
                    if name := line.strip():
                        devkit.setdefault(name, []).append((split, file.relative_to(root).as_posix()))
        self._has_splits = are_splits(
            split for devkit in self._lists.values() for entries in devkit.values() for split, _ in entries
        )
        self._read: set[tuple[Path, str]] = set()

    def splits(self, file: Path) -> set[str | None]:
        """The splits that `file` is listed in; where there are no lists, the one split of its folder, or None."""
        if not self._has_splits:
            folders = file.relative_to(self._root).parts[:-1]
            return {next((split for split in map(split_within, folders) if split is not None), None)}
        found: set[str | None] = set()
        for devkit, names in self._lists.items():
            if file.is_relative_to(devkit) and file.stem in names:
                self._read.add((devkit, file.stem))
                found |= {split for split, _ in names[file.stem]}
        return found

    def unread(self) -> Iterator[tuple[str, str]]:
        """Listed names that were never asked for, with the list."""
        for devkit, names in self._lists.items() if self._has_splits else ():
            for name, entries in names.items():
                if (devkit, name) not in self._read:
                    yield name, entries[0][1]


def _image(file: Path, file_name: str, root: Path) -> Path:
    """The image of an annotation file."""
    folders = list(_folders(file, root))
    for folder in folders:
        for suffix in sorted(PICTURE_SUFFIXES):
            for path in (folder / f"{file.stem}{suffix}", folder / f"{file.stem}{suffix.upper()}"):
                if is_file(path):
                    return find_inside(root, path.name, [folder])
    name = file_name.strip()
    if not name:
        raise UnreadableError("the file is missing")
    return find_inside(root, name, folders)


def _folders(file: Path, root: Path) -> Iterator[Path]:
    """Where the image of an annotation file may lie, most likely first."""
    yield file.parent
    parts = file.parent.relative_to(root).parts
    for number in reversed([k for k, part in enumerate(parts) if part.lower() in ANNOTATION_FOLDERS]):
        for name in IMAGE_FOLDERS:
            yield root.joinpath(*parts[:number], name, *parts[number + 1 :])
            yield root.joinpath(*parts[:number], name)
        yield root.joinpath(*parts[:number], *parts[number + 1 :])
    yield from (root / name for name in IMAGE_FOLDERS)
    yield root


def _annotations(annotation: ET.Element) -> Annotations:
    return Annotations(
        boxes=tuple(_box(element) for element in annotation.iterfind("object")),
        unit="px",
        recorded_size_px=as_size(annotation.findtext("size/width"), annotation.findtext("size/height")),
    )


def _box(element: ET.Element) -> RawBox:
    name = (element.findtext("name") or "").strip()
    left, top, right, bottom = (
        as_number(element.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    return RawBox(
        label=name or "no name",
        xyxy=(left - 1, top - 1, right, bottom),
        ignored=(element.findtext("difficult") or "").strip() == "1",
        known_class=bool(name),
    )


def write_voc(images: ImageSet, folder: Path) -> dict[str, Path]:
    """`JPEGImages`, `Annotations` and `ImageSets/Main/<split>.txt`; returns the file of each image_id.

    Coordinates are rounded to whole pixels; a box thinner than a pixel becomes one pixel wide. Ignored boxes are
    `difficult`.
    """
    written = export_images(images, folder / "JPEGImages")
    for name in ("Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for row, boxes in zip(images.index.itertuples(), images.boxes, strict=True):
        file = written[row.image_id]
        document = ET.ElementTree(_document(file.name, (row.width_px, row.height_px), boxes))
        ET.indent(document)
        document.write(folder / "Annotations" / f"{file.stem}.xml", encoding="utf-8")
    for split in SPLITS:
        if ids := images.index["image_id"][images.index["split"] == split].tolist():
            lines = "".join(f"{written[image_id].stem}\n" for image_id in ids)
            (folder / "ImageSets" / "Main" / f"{split}.txt").write_text(lines, encoding="utf-8")
    return written


def _document(file_name: str, size_px: tuple[int, int], boxes: Boxes) -> ET.Element:
    root = ET.Element("annotation")
    ET.SubElement(root, "folder").text = "JPEGImages"
    ET.SubElement(root, "filename").text = PurePosixPath(file_name).name
    size = ET.SubElement(root, "size")
    for side, value in zip(("width", "height", "depth"), (*size_px, 3), strict=True):
        ET.SubElement(size, side).text = str(value)
    for label, xyxy, ignored in zip(boxes.labels, _whole_pixels(boxes.xyxy, size_px), boxes.ignored, strict=True):
        element = ET.SubElement(root, "object")
        ET.SubElement(element, "name").text = label
        for name, value in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", str(int(ignored)))):
            ET.SubElement(element, name).text = value
        box = ET.SubElement(element, "bndbox")
        for side, value in zip(("xmin", "ymin", "xmax", "ymax"), np.add(xyxy, [1, 1, 0, 0]).tolist(), strict=True):
            ET.SubElement(box, side).text = str(value)
    return root


def _whole_pixels(xyxy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(N, 4) int boxes at least one pixel wide and high, inside a picture of `size_px` (width, height)."""
    low, high = np.floor(xyxy[:, :2] + 0.5), np.floor(xyxy[:, 2:] + 0.5)
    thin = low >= high
    low = np.where(thin, np.floor((xyxy[:, :2] + xyxy[:, 2:]) / 2).clip(0, np.array(size_px) - 1), low)
    return np.hstack([low, np.where(thin, low + 1, high)]).astype(int)
