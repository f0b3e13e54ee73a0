"""Boxes that nobody drew, names that point elsewhere, and annotation files that are no such thing."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from faults.hostile_case import FORMATS, Case, Scenes, file_case, scene_case, to
from faults.picture_bytes import cut, flipped

FLIPS, MANY_BOXES, DEPTH = 9, 100_000, 100_000
NAN, INFINITY = float("nan"), float("inf")
STRANGE_BOXES: dict[str, tuple[Any, ...]] = {
    "NaN": (NAN, NAN, NAN, NAN),
    "infinite": (-INFINITY, 0, INFINITY, 20),
    "negative": (-500, -400, -300, -200),
    "inverted": (40, 30, 5, 6),
    "without area": (5, 5, 5, 5),
    "huge": (-1e308, -1e308, 1e308, 1e308),
    "a hair wide": (5, 5, 5.000001, 30),
    "huge integers": (10**400, 0, 10**401, 5),
    "three numbers": (1, 2, 3),
    "no numbers": (),
    "words": ("one", "two", "three", "four"),
    "lists": ([1], [2], [3], [4]),
    "whole picture twice": (0, 0, 64, 48),
}
STRANGE_CLASSES = {
    "slashes": "../../outside",
    "a newline": "two\nlines",
    "a leading dot": ".hidden",
    "nothing": "",
    "only spaces": "   ",
    "another case": "CAT",
    "right to left": "\u202egod",
    "emoji": "🐈‍⬛",
    "255 bytes": "n" * 255,
    "a template": "{class_name.__class__}%s$(touch executed)",
    "markup": "<script>alert(1)</script>",
    "a number": "12345",
}
SYNTAX = ("coco", "yolo", "voc", "csv")


def hostile_annotations() -> Iterator[Case]:
    """All of them."""
    for form in SYNTAX:
        yield from _fuzzed(form)
        yield from _boxes(form)
        yield from _classes(form)
        yield from _paths(form)


def _fuzzed(form: str) -> Iterator[Case]:
    for seed in range(FLIPS):
        share = (0, 0.003, 0.05)[seed % 3]
        change = partial(lambda s, h, file, outside: file.write_bytes(flipped(file.read_bytes(), s, h)), seed, share)
        yield file_case(f"flipped bits {seed}", "annotations: bits flipped", form, change)
    for share in (0.05, 0.2, 0.4, 0.6, 0.8, 0.95):
        change = partial(lambda h, file, outside: file.write_bytes(cut(file.read_bytes(), h)), share)
        yield file_case(f"cut at {share:.0%}", "annotations: cut off", form, change)
    for name, mark in (("UTF-16", "utf-16"), ("UTF-32", "utf-32"), ("Latin-1", "latin-1"), ("a mark", "utf-8-sig")):
        change = partial(
            lambda mark, file, outside: file.write_bytes(
                (file.read_text() + ("\n#é" if mark == "latin-1" else "")).encode(mark)
            ),
            mark,
        )
        yield file_case(f"encoded as {name}", "annotations: syntax", form, change)
    yield file_case(
        "NUL bytes", "annotations: syntax", form, lambda file, outside: file.write_bytes(file.read_bytes() + bytes(10))
    )


def _boxes(form: str) -> Iterator[Case]:
    for what, corners in STRANGE_BOXES.items():
        yield scene_case(f"a box: {what}", "boxes", form, Scenes().with_boxes([("cat", corners)]), outcome="used")
    every = Scenes({f"scene{number}.png": [("cat", (9, 9, 3, 3)), ("dog", (1, 1, 1, 1))] for number in range(6)})
    yield scene_case("no box that is usable", "boxes", form, every, outcome="refused")
    grid = [("cat", (x % 60, x // 60 % 44, x % 60 + 3 + x / 1e6, x // 60 % 44 + 3)) for x in range(MANY_BOXES)]
    yield scene_case("a hundred thousand boxes", "many boxes", form, Scenes().with_boxes(grid))
    same = [("cat", (5, 5, 25, 25))] * MANY_BOXES
    yield scene_case("one box a hundred thousand times", "many boxes", form, Scenes().with_boxes(same))


def _classes(form: str) -> Iterator[Case]:
    for what, name in STRANGE_CLASSES.items():
        yield scene_case(f"a class called {what}", "names of classes", form, Scenes().with_class(name))


def _paths(form: str) -> Iterator[Case]:
    def names(root: Path, outside: Path) -> dict[str, str]:
        relative = to(outside, root, "canary.png")
        return {
            "up": relative,
            "up from the pictures": f"../{relative}",
            "absolute": str(outside / "canary.png"),
            "of Windows": relative.replace("/", "\\"),
            "a drive of Windows": "C:\\Windows\\win.ini",
            "a share of Windows": "\\\\server\\share\\a.png",
            "a file URL": f"file://{outside}/canary.png",
            "a URL": "https://example.org/a.png",
            "the home folder": "~/a.png",
            "a process": "/proc/self/environ",
            "a device": "/dev/zero",
            "up and down again": "images/../images/../../" + outside.parent.name + "/x.png",
            "too long": "n" * 5_000 + ".png",
            "with NUL": "a\0b.png",
            "the folder itself": ".",
            "nothing": " ",
        }

    for what in names(Path("/a/b"), Path("/a/c")):

        def build(root: Path, outside: Path, what: str = what) -> None:
            FORMATS[form](root, Scenes().with_image(names(root, outside)[what]))

        outcome = "refused" if (what, form) == ("with NUL", "voc") else "used"  # XML allows none
        yield Case(f"a file name: {what} in {form}", "paths in annotations", "detection", build, outcome)
