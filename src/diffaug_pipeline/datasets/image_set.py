"""Image sets on disk.

    <filepath>/<version>/<name>/
        images/000012/<recipe>.png     made in batch 12; at most `batch_size` per folder
        images/reused-0-0003/…         hard links to what an earlier version made under the same recipe, by round
        index.parquet                  see `imaging.image_set`; paths of own images relative to this folder
        batches.json                   which images were made together
        passes.json                    with a quota: which images passed, see `datasets.rounds`
        contact_sheet.png              what kedro-viz shows
        manifest.json                  counts, columns, checksums; written last

How images are made, also in several processes, is told in `datasets.making`.
"""

import base64
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
from kedro_datasets._typing import ImagePreview
from PIL import Image

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.checksums import Digest, additions, differences, sha256_of
from diffaug_pipeline.datasets.folder import MANIFEST, write_manifest
from diffaug_pipeline.datasets.making import BatchList, make_batches
from diffaug_pipeline.datasets.rounds import Rounds
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.contact_sheet import draw_contact_sheet
from diffaug_pipeline.imaging.image_set import TARGETS, ImageSet, PlannedImageSet, leading_columns, target_of
from diffaug_pipeline.imaging.preparation import boxes_inside, open_image

INDEX, CONTACT_SHEET, BATCHES, PASSES = "index.parquet", "contact_sheet.png", "batches.json", "passes.json"
LINKS_PER_FOLDER = 1_000
SCHEMA_VERSION = 1
FILE_COLUMNS = ["path", "width_px", "height_px", "size_bytes", "sha256"]


class ImageSetDataset(VersionedArtifact):
    """Saves an `ImageSet` (pixels stay in place) or a `PlannedImageSet` (they are made now); loads an `ImageSet`."""

    @staticmethod
    def seal_of(path: Path) -> Path:
        return path / MANIFEST

    def save(self, data: ImageSet | PlannedImageSet) -> None:
        with self.staging() as staged:
            staged.mkdir(exist_ok=True)
            index = self._make(data, staged) if isinstance(data, PlannedImageSet) else data.index
            _write_set(index, staged, final=Path(self._get_save_path()))
            self.publish(staged)

    def load(self) -> ImageSet:
        return ImageSet(_read_index(self.load_path))

    def preview(self) -> ImagePreview:
        return ImagePreview(base64.b64encode((self.load_path / CONTACT_SHEET).read_bytes()).decode())

    def verify(self, digest: Digest = sha256_of) -> list[str]:
        """Images that other versions hold have to be there; the user's own are the matter of `changed_sources`."""
        folder, index = Path(os.path.normpath(self.load_path)), _read_index(self.load_path)
        made = index[index["recipe"].notna()]
        names = [os.path.relpath(path, folder) for path in made["path"]]
        images = dict(zip(names, made["sha256"], strict=True))
        own = {name: sha256 for name, sha256 in images.items() if not name.startswith(os.pardir)}
        recorded = json.loads(self.seal_of(folder).read_text())["files"] | own
        absent = [os.path.normpath(folder / name) for name in images.keys() - own if not (folder / name).is_file()]
        return [
            *differences(folder, recorded, digest),
            *(f"{path} is missing" for path in sorted(absent)),
            *additions(folder, {MANIFEST, *recorded}),
        ]

    def changed_sources(self, digest: Digest = sha256_of) -> list[str]:
        """The user's own files that are missing or changed since they were indexed."""
        index = _read_index(self.load_path)
        sources = index[index["recipe"].isna()]
        return differences(Path(), dict(zip(sources["path"], sources["sha256"], strict=True)), digest)

    def _make(self, data: PlannedImageSet, staged: Path) -> pd.DataFrame:
        """Links what exists, makes the rest, and returns the complete index with absolute paths."""
        images, rounds = staged / "images", Rounds(data, staged / PASSES)
        batches = _begin_batches(data, staged / BATCHES, images)
        made, seconds, parts, present = 0, 0.0, [], set()
        for number, rows in enumerate(rounds):
            if number == batches.rounds:
                new = rows[~rows["recipe"].isin(present)]
                reused = _link_earlier(new["recipe"], self._earlier_folders(staged), images, number)
                batches.add_round(data, new[~new["recipe"].isin(reused)])
            started = time.perf_counter()
            made += make_batches(data, batches, images)
            seconds += time.perf_counter() - started
            parts.append(_index_of(rows, images, data.making_columns))
            present.update(rows["recipe"])
            rounds.judge(parts[-1])
        index = pd.concat(parts).sort_index()
        planned = sum(map(len, batches.batches))
        self.statistics = {
            "images_made": made,
            "images_kept": planned - made,
            "images_reused": index["recipe"].nunique() - planned,
            "seconds_making": round(seconds, 3),
            "batches_cut_down_to": batches.largest,
        }
        if data.quota is not None:
            self.statistics["images_not_needed"] = len(data.plan) - len(index)
        return index

    def _earlier_folders(self, staged: Path) -> Iterator[Path]:
        """Image folders of other versions, last published first, then of interrupted ones."""
        yield from (Path(version) / "images" for version in self._get_versions())
        yield from (path / "images" for path in sorted(self.staging_root.iterdir()) if path.is_dir() and path != staged)


def _begin_batches(data: PlannedImageSet, file: Path, images: Path) -> BatchList:
    """The batches that `file` holds, or none; what no file tells of is removed."""
    plan_digest = _digest(data.plan["recipe"])
    if not file.exists():
        shutil.rmtree(images, ignore_errors=True)
        return BatchList(file, plan_digest, [])
    batches = BatchList.read(file)
    if batches.plan_digest != plan_digest:
        raise VersionError(
            f"{file.parent} was begun with another plan; resume with the parameters it was begun with, "
            "or choose another --run-id."
        )
    return batches


def _link_earlier(recipes: pd.Series, folders: Iterator[Path], images: Path, in_round: int) -> set[str]:
    """Links images made earlier under the same recipes; returns the recipes found, which other runs may move away.

    What an interrupted attempt has linked in this round is removed first.
    """
    wanted = set(recipes)
    found: dict[str, Path] = {}
    for folder in folders:
        if len(found) == len(wanted):
            break
        with suppress(FileNotFoundError):
            for path in folder.glob("*/*"):
                if path.stem in wanted and not path.parent.name.startswith("."):
                    found.setdefault(path.stem, path)
    for leftover in images.glob(f"reused-{in_round}-*"):
        shutil.rmtree(leftover)
    for number, recipe in enumerate([recipe for recipe in recipes.drop_duplicates() if recipe in found]):
        folder = images / f"reused-{in_round}-{number // LINKS_PER_FOLDER:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        if not _link(found[recipe], folder / found[recipe].name):
            del found[recipe]
    return set(found)


def _link(source: Path, target: Path) -> bool:
    """Whether `target` now is `source`, linked or, where links fail, copied."""
    try:
        os.link(source, target)
    except OSError:
        partial = target.with_name(f".{target.name}")
        try:
            shutil.copyfile(source, partial)
        except FileNotFoundError:
            return False
        partial.chmod(0o444)
        partial.replace(target)
    return True


def _index_of(rows: pd.DataFrame, images: Path, making_columns: tuple[str, ...]) -> pd.DataFrame:
    """The index of plan `rows` whose files lie below `images`."""
    files = _describe_files(images, set(rows["recipe"]))
    if any(target in rows for target in TARGETS):
        files = files.drop(columns="boxes")
    known = rows.drop(columns=[*FILE_COLUMNS, *making_columns], errors="ignore")
    return known.join(files.set_index("recipe"), on="recipe", validate="many_to_one")


def _describe_files(images: Path, recipes: set[str]) -> pd.DataFrame:
    """One row per image file below `images` of the `recipes`: recipe, the `boxes` in it, and `FILE_COLUMNS`."""
    rows = []
    for path in sorted(path for path in images.glob("*/*") if path.stem in recipes):
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:
                width, height = height, width
            boxes = boxes_inside(image)
        rows.append((path.stem, boxes, str(path), width, height, path.stat().st_size, sha256_of(path)))
    files = pd.DataFrame(rows, columns=["recipe", "boxes", *FILE_COLUMNS])
    if lost := recipes - set(files["recipe"]):
        raise VersionError(f"{len(lost)} images are missing under {images}, e.g. {min(lost)}; choose another --run-id.")
    return files


def _write_set(index: pd.DataFrame, staged: Path, final: Path) -> None:
    """Index, contact sheet and, last, the manifest; own paths are stored relative to the `final` folder."""
    sheet = draw_contact_sheet(index, lambda path: open_image(Path(path)))
    sheet.save(staged / CONTACT_SHEET)
    stored = index.copy()
    own = stored["recipe"].notna()
    stored.loc[own, "path"] = [_relative_path(path, staged, final) for path in stored.loc[own, "path"]]
    leading = leading_columns(target_of(stored))
    stored = stored[leading + [column for column in stored if column not in leading]]
    stored.to_parquet(staged / INDEX, index=False)
    written = [name for name in (BATCHES, PASSES, CONTACT_SHEET, INDEX) if (staged / name).exists()]
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "images": len(stored),
        "by_split": stored["split"].value_counts().sort_index().to_dict(),
        "by_origin": stored["origin"].value_counts().sort_index().to_dict(),
        "columns": {column: str(dtype) for column, dtype in stored.dtypes.items()},
        "fingerprint": _digest(stored["sha256"].sort_values()),
        "files": {name: sha256_of(staged / name) for name in written},
    }
    write_manifest(staged, manifest)


def _relative_path(path: str, staged: Path, final: Path) -> str:
    """`path` as seen from the folder the index will lie in."""
    absolute = Path(path)
    if absolute.is_relative_to(staged):
        return absolute.relative_to(staged).as_posix()
    return Path(os.path.relpath(absolute, final)).as_posix()


def _read_index(folder: Path) -> pd.DataFrame:
    index = pd.read_parquet(folder / INDEX)
    index["path"] = [os.path.normpath(folder / path) for path in index["path"]]
    if "boxes" in index:
        index["boxes"] = [Boxes.of(records).records() for records in index["boxes"]]
    return index


def _digest(values: pd.Series) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(f"{value}\n".encode())
    return digest.hexdigest()
