"""Files of a dataset folder: found without leaving it, and read when asked for."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.source import UnreadableError, split_within

SYSTEM_NAMES = ("thumbs.db", "desktop.ini", "__macosx")
USUAL_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".mpo"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".jpx", ".j2k"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}
"""What is read, as Pillow names it, and how such files are called; some of its other formats run other programs."""
PICTURE_SUFFIXES = {suffix for suffixes in USUAL_SUFFIXES.values() for suffix in suffixes}
IMAGE_FOLDERS = ("images", "JPEGImages")
LEAVES = "leaves the dataset folder"
MAX_ANNOTATION_MEGABYTES = 2_000
"""Of one file, which is read whole."""


def walk(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Every file in a stable order, and with a reason what is not looked into or at."""
    unreadable: list[OSError] = []
    for folder, subfolders, files in os.walk(root, onerror=unreadable.append):
        for name in sorted(subfolders):
            if _is_hidden(name):
                yield Path(folder, name), "a hidden or system folder"
            elif os.path.islink(Path(folder, name)):  # noqa: PTH114  (Path.is_symlink fails where a path is too long)
                yield Path(folder, name), "a link to a folder; folders are not followed through links"
        subfolders[:] = sorted(name for name in subfolders if not _is_hidden(name))
        for name in sorted(files):
            path = Path(folder, name)
            yield path, "a hidden or system file" if _is_hidden(name) else _problem_of(path)
    for error in unreadable:
        yield Path(error.filename), f"cannot be listed: {error.strerror}"


def files_below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files with one of `suffixes` (lower case) that are not hidden."""
    wanted = set(suffixes)
    return [path for path, problem in walk(folder) if problem is None and path.suffix.lower() in wanted]


def is_file(path: Path) -> bool:
    """Whether an ordinary file lies there; a pipe, whose reader might wait for ever, is none."""
    try:
        return path.is_file()
    except OSError:  # a name too long
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder lies there."""
    try:
        return path.is_dir()
    except OSError:  # a name too long
        return False


def annotation_files(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files with one of `suffixes` that are neither hidden nor links out of the dataset folder `root`."""
    root = root.resolve()
    return [path for path in files_below(root, suffixes) if is_inside(path, root)]


def is_inside(path: Path, root: Path) -> bool:
    """Whether `path`, links followed, lies in the resolved folder `root`."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a link to itself
        return False


@contextmanager
def file_errors(file: Path) -> Iterator[None]:
    """Says as `DatasetFormatError` why an annotation file cannot be read."""
    try:
        yield
    except OSError as error:
        raise DatasetFormatError(f"{file} cannot be read: {error.strerror or error}; mend or remove it.") from error


def read_annotations(file: Path) -> bytes:
    """What an annotation file holds. Raises `DatasetFormatError` if it cannot or should not be read."""
    with file_errors(file):
        megabytes = file.stat().st_size / 1e6
        if megabytes <= MAX_ANNOTATION_MEGABYTES:
            return file.read_bytes()
    raise DatasetFormatError(
        f"{file} has {megabytes:,.0f} MB, and annotation files of more than {MAX_ANNOTATION_MEGABYTES:,} MB are not "
        "read; divide it into several files."
    )


def read_head(file: Path, most_bytes: int) -> bytes:
    """Its beginning. Raises `DatasetFormatError` if it cannot be read."""
    with file_errors(file), file.open("rb") as opened:
        return opened.read(most_bytes)


def find_inside(root: Path, name: str, folders: Iterable[Path]) -> Path:
    """The file that `name`, from an annotation file, means in the first of `folders` that has it, links resolved.

    `root` is resolved. Raises `UnreadableError` if there is none, or if it lies outside `root`.
    """
    leaves = False
    for number, folder in enumerate(folders):
        try:
            path = Path(folder, PurePosixPath(name.replace("\\", "/")))
            resolved = path.resolve()
            if not resolved.is_relative_to(root):
                leaves |= number == 0 or path.exists()
            elif resolved.is_file():
                return resolved
        except (OSError, ValueError, RuntimeError):  # a name too long, with a NUL byte, a link to itself
            continue
    raise UnreadableError(LEAVES if leaves else "the file is missing")


def image_folders(root: Path, annotation_file: Path, split: str | None) -> list[Path]:
    """Where the images named in `annotation_file` may lie, most likely first."""
    of_split = [
        folder
        for base in (root, *(root / name for name in IMAGE_FOLDERS))
        if split is not None and base.is_dir()
        for folder in sorted(base.iterdir())
        if split_within(folder.name) == split and folder.is_dir()
    ]
    inside = [folder / name for folder in of_split for name in IMAGE_FOLDERS]
    return [annotation_file.parent, *of_split, *inside, *(root / name for name in IMAGE_FOLDERS), root]


def printable(name: str) -> str:
    r"""`name` as valid UTF-8, with question marks for what is not.

    >>> printable("caf\udce9")
    'caf?'
    """
    return name.encode(errors="replace").decode()


def reader(path: Path, max_file_megabytes: float) -> Callable[[], bytes]:
    """Reads the file when called; raises `UnreadableError` if it cannot or should not be read."""

    def read() -> bytes:
        try:
            size = path.stat().st_size
            if not path.is_file():
                raise UnreadableError("not an ordinary file")
            if size > max_file_megabytes * 1e6:
                raise UnreadableError(f"{size / 1e6:.0f} MB is more than {max_file_megabytes:g} MB")
            return path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror or error}") from error

    return read


def _problem_of(path: Path) -> str | None:
    return None if is_file(path) else "not an ordinary file"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_NAMES
