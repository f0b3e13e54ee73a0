"""Folders of pictures with links, pipes, strange names and archives in them."""

import os
import socket
import stat
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from factories import smooth_image
from faults.hostile_case import (
    CLASSES,
    FORMATS,
    PICTURES,
    SIZE_PX,
    Case,
    Scenes,
    file_case,
    folder_case,
)

DEEP = 60
NAMES = {
    "Greek and Chinese": "κατ 猫",
    "composed": unicodedata.normalize("NFC", "cafés"),
    "decomposed": unicodedata.normalize("NFD", "cafés"),
    "right to left": "\u202egnp.exe",
    "emoji": "🐈‍⬛",
    "zero width": "a\u200bb",
    "a newline": "two\nlines",
    "a tab and a bell": "a\tb\a",
    "a backslash": "..\\..\\outside",
    "quotes": "\"'`$(touch executed)",
    "markup": "<script>alert(1)<",
    "a percent sign": "%s%n{0}",
    "255 bytes": "n" * 251,
    "a leading dash": "-rf",
    "only spaces": "   ",
    "a device of Windows": "CON",
    "a byte-order mark": "\ufeffa",
    "two dots and more": "..a",
}


def hostile_folders() -> Iterator[Case]:
    """All of them."""
    yield from _links()
    yield from _special_files()
    yield from _names()
    yield from _shapes()


def _links() -> Iterator[Case]:
    kind = "links"

    def link(place: str, target: str) -> Callable[[Path, Path], None]:
        return lambda root, outside: (root / place).symlink_to(target.format(outside=outside, root=root))

    links = {
        "a link to a picture outside": ("dog/a.png", "{outside}/canary.png"),
        "a link to a text outside": ("dog/a.png", "{outside}/canary.txt"),
        "a link to a folder outside": ("bird", "{outside}/canaries"),
        "a link to a folder outside in a class": ("dog/more", "{outside}/canaries"),
        "a link to itself": ("dog/a.png", "a.png"),
        "a link to nothing": ("dog/a.png", "nothing.png"),
        "a link to its own folder": ("dog/more", "."),
        "a link to the dataset": ("dog/more", "{root}"),
        "a link to the whole disk": ("dog/more", "/"),
        "a link to an endless device": ("dog/a.png", "/dev/zero"),
        "a link to a process": ("dog/a.png", "/proc/self/mem"),
    }
    for name, (place, target) in links.items():
        yield folder_case(name, kind, link(place, target), outcome="refused", names=(place,))

    def inside(root: Path, outside: Path) -> None:
        smooth_image("apart", SIZE_PX).save(root / "dog" / "a.png")
        (root / "cat" / "b.png").symlink_to("../dog/a.png")

    yield folder_case("a link to another class", kind, inside, outcome="refused", names=("cat/b.png", "dog/a.png"))

    def chain(root: Path, outside: Path) -> None:
        for number in range(50):
            (root / "dog" / f"l{number}.png").symlink_to(f"l{number + 1}.png")
        (root / "dog" / "l50.png").symlink_to(outside / "canary.png")

    yield folder_case("fifty links to a picture outside", kind, chain, outcome="refused", names=("dog/l0.png",))
    for form, file in (
        ("coco", "x.json"),
        ("yolo", "labels/scene0.txt"),
        ("voc", "Annotations/x.xml"),
        ("csv", "x.csv"),
    ):
        for what, target in (("an annotation file", file), ("a picture", "{pictures}/extra.png")):

            def outward(annotations: Path, outside: Path, target: str = target, file: str = file) -> None:
                root = annotations.parent.parent if annotations.parent.name == "Annotations" else annotations.parent
                pictures = next(name for name in ("JPEGImages", "images") if (root / name).is_dir())
                place = root / target.format(pictures=pictures)
                place.unlink(missing_ok=True)
                place.symlink_to(outside / (f"canary{Path(file).suffix}" if place.suffix != ".png" else "canary.png"))

            yield file_case(f"{what} that is a link outside", kind, form, outward)

        def looping(annotations: Path, outside: Path) -> None:
            (annotations.parent / "again").symlink_to(annotations.parent)
            (annotations.parent / f"loop{annotations.suffix}").symlink_to(f"loop{annotations.suffix}")

        yield file_case("links to themselves", kind, form, looping)


def _special_files() -> Iterator[Case]:
    kind = "pipes, sockets, devices"

    def listen(path: Path) -> None:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's address is short
        try:
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(path.name)
        finally:
            os.chdir(here)

    makers: dict[str, Callable[[Path], None]] = {
        "a pipe": os.mkfifo,
        "a socket": listen,
        "a device": lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5)),
        "a folder called like a picture": lambda path: path.mkdir(),
    }
    for what, make in makers.items():
        if what == "a device" and os.geteuid() != 0:
            continue
        names = () if "folder" in what else ("dog/a.png",)
        change = partial(lambda make, root, outside: make(root / "dog" / "a.png"), make)
        yield folder_case(what, kind, change, outcome="either", names=names)
        for form, name in (("coco", "x.json"), ("yolo", "labels/scene0.txt"), ("voc", "x.xml"), ("csv", "x.csv")):

            def put(annotations: Path, outside: Path, make: Callable[[Path], None] = make, name: str = name) -> None:
                place = annotations.parent / name
                place.unlink(missing_ok=True)
                make(place)

            yield file_case(f"{what} as {name}", kind, form, put)
    for name in ("a.parquet", "x.yaml"):
        yield folder_case(
            f"a pipe called {name}",
            kind,
            partial(lambda name, root, outside: os.mkfifo(root / name), name),
            outcome="either",
        )
    yield folder_case(
        "a pipe as the dataset",
        kind,
        lambda root, outside: os.mkfifo(root / "a.parquet"),
        outcome="refused",
        dataset="a.parquet",
    )
    yield folder_case(
        "the null device as the dataset", kind, lambda root, outside: None, outcome="refused", dataset="/dev/null"
    )

    def closed(root: Path, outside: Path) -> None:
        (root / "dog" / "0.png").chmod(0)
        (root / "cat" / "0.png").chmod(0)

    if os.geteuid() != 0:
        yield folder_case("files that may not be read", kind, closed, outcome="refused", names=("dog/0.png",))


def _names() -> Iterator[Case]:
    for what, name in NAMES.items():

        def called(root: Path, outside: Path, name: str = name) -> None:
            smooth_image("named", SIZE_PX).save(root / "dog" / f"{name}.png", format="PNG")

        hidden = name.startswith(".")
        outcome = "refused" if hidden else "used"
        yield folder_case(
            f"a file called {what}", "names of files", called, outcome=outcome, names=(f"dog/{name}.png",)
        )

        def classed(root: Path, outside: Path, name: str = name) -> None:
            (root / "dog").rename(root / name)

        yield folder_case(
            f"a class called {what}",
            "names of classes",
            classed,
            outcome=outcome,
            names=() if hidden else (f"{name}/0.png",),
        )

    def invalid(root: Path, outside: Path) -> None:
        (root / "dog" / "0.png").rename(root / "dog" / os.fsdecode(b"caf\xe9.png"))

    yield folder_case("a file that is no UTF-8", "names of files", invalid, outcome="refused", names=("dog/caf?.png",))

    def invalid_class(root: Path, outside: Path) -> None:
        (root / "dog").rename(root / os.fsdecode(b"d\xf6g"))

    yield folder_case("a class that is no UTF-8", "names of classes", invalid_class, outcome="refused")

    def both_cases(root: Path, outside: Path) -> None:
        (root / "CAT").mkdir()
        for number in range(PICTURES):
            smooth_image(f"CAT {number}", SIZE_PX).save(root / "CAT" / f"{number}.png")

    yield folder_case(
        "classes that differ in case", "names of classes", both_cases, outcome="used", names=("CAT/0.png",)
    )

    def forms(root: Path, outside: Path) -> None:
        (root / "cat").rename(root / NAMES["composed"])
        (root / "dog").rename(root / NAMES["decomposed"])

    yield folder_case(
        "classes that differ in their code points",
        "names of classes",
        forms,
        outcome="used",
        names=(f"{NAMES['composed']}/0.png",),
    )


def _shapes() -> Iterator[Case]:
    kind = "shapes of folders"

    def deep(root: Path, outside: Path) -> None:
        folder = root / "dog" / "/".join(["d" * 50] * DEEP)
        folder.mkdir(parents=True)
        smooth_image("deep", SIZE_PX).save(folder / "a.png")

    yield folder_case("sixty folders deep", kind, deep, outcome="used", names=("a.png",))

    def too_deep(root: Path, outside: Path) -> None:
        here = os.open(root / "dog", os.O_RDONLY)
        for _ in range(30):  # longer than any path that can be opened
            os.mkdir("d" * 200, dir_fd=here)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)

    yield folder_case("a path that is too long", kind, too_deep, outcome="either")

    def hollow(root: Path, outside: Path) -> None:
        for number in range(2_000):
            (root / f"class{number}").mkdir()

    yield folder_case("two thousand empty classes", kind, hollow, outcome="used")

    def crowd(root: Path, outside: Path) -> None:
        for number in range(3_000):
            (root / "dog" / f"e{number}.png").touch()

    yield folder_case("three thousand empty files", kind, crowd, outcome="refused", names=("dog/e0.png",))

    def lonely(root: Path, outside: Path) -> None:
        for path in (root / "dog").iterdir():
            path.unlink()

    yield folder_case("a class without files", kind, lonely, outcome="refused")

    def split_only(root: Path, outside: Path) -> None:
        for split in ("train", "test"):
            (root / split).mkdir()

    yield folder_case("empty splits beside classes", kind, split_only, outcome="refused")

    def nothing(root: Path, outside: Path) -> None:
        for label in CLASSES:
            for path in (root / label).iterdir():
                path.unlink()
            (root / label).rmdir()

    yield folder_case("an empty folder", kind, nothing, outcome="refused")
    for what, name in (
        ("that is not there", "gone"),
        ("with a NUL byte", "a\0b"),
        ("with a name too long", "n" * 5_000),
    ):
        yield folder_case(f"a dataset {what}", kind, lambda root, outside: None, outcome="refused", dataset=name)

    def repeated(root: Path, outside: Path) -> None:
        (root / "cat" / "x.png").write_bytes((root / "dog" / "0.png").read_bytes())

    yield folder_case("one picture in two classes", kind, repeated, outcome="refused", names=("cat/x.png", "dog/0.png"))
    for form in FORMATS:
        yield file_case("two formats", kind, form, partial(_second_format, form), outcome="refused")
        yield file_case("an empty annotation file", kind, form, lambda file, outside: file.write_bytes(b""))


def _second_format(form: str, annotations: Path, outside: Path) -> None:
    root = annotations.parent.parent if form == "voc" else annotations.parent
    other = "coco" if form == "csv" else "csv"
    FORMATS[other](root, Scenes())
