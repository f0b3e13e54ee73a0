"""Annotation files that are no such thing: JSON, YAML, XML and CSV that lie, nest, laugh or never end."""

import codecs
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from faults.hostile_case import BOXES, SECRET, Case, Scenes, coco_document, file_case, voc_text

DEPTH = 100_000
NAN, INFINITY = float("nan"), float("inf")


def hostile_syntax() -> Iterator[Case]:
    """All of them."""
    yield from _json()
    yield from _yaml()
    yield from _label_lines()
    yield from _xml()
    yield from _csv()


def replaced(content: str | bytes) -> Callable[[Path, Path], None]:
    """The annotation file holds `content`; `{outside}` in it becomes the way there."""

    def change(file: Path, outside: Path) -> None:
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content.replace("{outside}", str(outside)), encoding="utf-8")

    return change


def coco(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path, Path], None]:
    """The document of a good COCO dataset, changed, or what `change` returns in its place."""

    def write(file: Path, outside: Path) -> None:
        document = coco_document(Scenes())
        file.write_text(json.dumps(change(document) or document))

    return write


def _json() -> Iterator[Case]:
    def both(document: dict[str, Any], key: str, field: str, value: Any) -> None:
        document[key][1][field] = value

    changes: dict[str, Callable[[dict[str, Any]], Any]] = {
        "an image id twice": lambda d: both(d, "images", "id", 0),
        "a file name twice": lambda d: both(d, "images", "file_name", "scene0.png"),
        "an annotation id twice": lambda d: both(d, "annotations", "id", 0),
        "a category id twice": lambda d: both(d, "categories", "id", 0),
        "a category name twice": lambda d: both(d, "categories", "name", "cat"),
        "an annotation of an unknown image": lambda d: both(d, "annotations", "image_id", 999),
        "an annotation of an unknown category": lambda d: both(d, "annotations", "category_id", 999),
        "ids of text": lambda d: both(d, "images", "id", "zero"),
        "ids that are lists": lambda d: both(d, "images", "id", [1]),
        "ids that are records": lambda d: both(d, "annotations", "image_id", {"a": 1}),
        "ids that are true": lambda d: both(d, "annotations", "category_id", True),
        "ids that are no numbers": lambda d: both(d, "images", "id", NAN),
        "ids that are infinite": lambda d: both(d, "annotations", "image_id", INFINITY),
        "a name that is a list": lambda d: both(d, "categories", "name", ["cat"]),
        "a name that is a number": lambda d: both(d, "categories", "name", 5),
        "a lone surrogate in a class": lambda d: both(d, "categories", "name", "\ud800"),
        "NUL in a class": lambda d: both(d, "categories", "name", "c\0t"),
        "a lone surrogate in a file name": lambda d: both(d, "images", "file_name", "\udcff.png"),
        "a file name that is a number": lambda d: both(d, "images", "file_name", 5),
        "a picture of no size": lambda d: both(d, "images", "width", 0),
        "a picture of huge size": lambda d: both(d, "images", "width", 10**300),
        "a picture of infinite size": lambda d: both(d, "images", "height", INFINITY),
        "a picture of another shape": lambda d: both(d, "images", "width", 640),
        "images that are text": lambda d: d | {"images": "all"},
        "images that are null": lambda d: d | {"images": None},
        "annotations that are numbers": lambda d: d | {"annotations": [1, 2]},
        "categories that are null": lambda d: d | {"categories": [None]},
        "no categories": lambda d: d | {"categories": []},
        "no images": lambda d: d | {"images": []},
        "a segmentation of junk": lambda d: both(
            d, "annotations", "segmentation", {"counts": "x" * 1_000, "size": [-1]}
        ),
        "a crowd that is a word": lambda d: both(d, "annotations", "iscrowd", "yes"),
        "a box that is a record": lambda d: both(d, "annotations", "bbox", {"x": 1}),
        "a box with true": lambda d: both(d, "annotations", "bbox", [True, 1, 9, 9]),
    }
    for what, change in changes.items():
        yield file_case(what, "JSON content", "coco", coco(change))
    head = '{"images": [], "annotations": [], "categories": '
    texts = {
        "lists nested deeply": head + "[" * DEPTH,
        "lists nested deeply and closed": head + "[" * DEPTH + "]" * DEPTH + "}",
        "records nested deeply": head + '{"a":' * DEPTH,
        "a number of a million digits": head + "1" * 1_000_000 + "}",
        "a text of ten million letters": head + '"' + "a" * 10_000_000 + '"}',
        "keys that repeat": head + '[], "categories": [], "images": []}',
        "words of JavaScript": head + "[NaN, Infinity, -Infinity]}",
        "comments": "// x\n" + head + "[]}",
        "two documents": (head + "[]}") * 2,
        "a number alone": "5",
    }
    for what, text in texts.items():
        yield file_case(what, "JSON syntax", "coco", replaced(text), outcome="refused")
    yield file_case("a sparse file of a terabyte", "JSON syntax", "coco", _sparse, outcome="refused")


def _sparse(file: Path, outside: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(1 << 40)


NAMES = "\nnames: [cat, dog]\n"


def _yaml() -> Iterator[Case]:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    texts = {
        "an object of Python": "train: !!python/object/apply:os.system ['touch executed']" + NAMES,
        "a new object": "train: images\nnames: !!python/object/new:os.system ['touch executed']\n",
        "a module of Python": "train: images\npath: !!python/module:antigravity" + NAMES,
        "a name of Python": "train: !!python/name:os.system" + NAMES,
        "a download": "train: images\ndownload: |\n  import os\n  os.system('touch executed')" + NAMES,
        "a download by a shell": "train: images\ndownload: bash touch executed" + NAMES,
        "a URL": "train: https://example.org/train.zip" + NAMES,
        "a billion laughs": laughs + "train: images\nnames: *a11\n",
        "a billion laughs as train": laughs + "train: *a11" + NAMES,
        "a list in itself": "train: &a [images, *a]" + NAMES,
        "names in themselves": "train: images\nnames: &a [cat, *a]\n",
        "a record in itself": "train: images\nnames: &a {0: cat, 1: *a}\n",
        "nested deeply": "train: images\nnames: " + "[" * 5_000,
        "merged": "b: &b {names: [cat, dog]}\n<<: *b\ntrain: images\n",
        "keys that repeat": "train: images\ntrain: gone" + NAMES,
        "a key that is a list": "? [a, b]\n: c\ntrain: images" + NAMES,
        "tabs": "train:\timages\n\tnames: [cat]\n",
        "an unknown alias": "train: *nothing" + NAMES,
        "two documents": "train: images" + NAMES + "---\ntrain: images" + NAMES,
        "a scalar": "just text",
        "a list": "- train\n- names",
        "names as text": "train: images\nnames: cat\n",
        "names as numbers beyond": "train: images\nnames: {99999999999999999999: cat, 0: dog}\n",
        "names with the same number": "train: images\nnames: {0: cat, 00: dog}\n",
        "negative numbers": "train: images\nnames: {-1: cat, 0: dog}\n",
        "many classes": "train: images\nnc: 999999999999\n",
        "classes below zero": "train: images\nnc: -5\n",
        "a number of classes that is a list": "train: images\nnc: [1]\n",
        "the path outside": "path: {outside}\ntrain: canaries" + NAMES,
        "the path above": "path: ..\ntrain: outside/canaries" + NAMES,
        "train outside": "train: {outside}/canaries" + NAMES,
        "train above": "train: ../../outside/canaries" + NAMES,
        "a list outside": "train: {outside}/canary.txt" + NAMES,
        "val outside": "train: images\nval: {outside}/canaries" + NAMES,
        "a path that is a process": "train: /proc/self/fd" + NAMES,
        "a path with NUL": 'train: "im\\0ages"' + NAMES,
        "a path too long": f"train: {'n' * 5_000}" + NAMES,
        "a path that is a record": "path: {a: b}\ntrain: images" + NAMES,
        "key points of junk": "train: images\nkpt_shape: [a, [1], 1e999]" + NAMES,
        "control characters": "train: images\x07\nnames: [cat, dog]\n",
        "a lone surrogate": 'train: images\nnames: ["\\uD800", dog]\n',
        "a huge number": "train: images\nnames: {0: cat, " + "9" * 10_000 + ": dog}\n",
    }
    for what, text in texts.items():
        yield file_case(what, "YAML", "yolo", replaced(text))


def _label_lines() -> Iterator[Case]:
    lines = {
        "a class index of junk": "cat 0.5 0.5 0.1 0.1",
        "a class index beyond": "99 0.5 0.5 0.1 0.1",
        "a class index below": "-1 0.5 0.5 0.1 0.1",
        "a class index that is no number": "nan 0.5 0.5 0.1 0.1",
        "a class index that is infinite": "inf 0.5 0.5 0.1 0.1",
        "a class index and a half": "0.5 0.5 0.5 0.1 0.1",
        "a polygon of a million points": "0 " + "0.1 0.2 " * 1_000_000,
        "a line of a million letters": "0 " + "x" * 1_000_000,
        "a million empty lines": "\n" * 1_000_000,
        "other digits": "٠ ٠.٥ ٠.٥ ٠.١ ٠.١",
        "underscores": "1_0 0_1.5 0.5 0.1 0.1",
        "line ends of other kinds": "0 0.5 0.5 0.1 0.1\u2028\x0b\x0c1 0.5 0.5 0.2 0.2\r",
    }
    for what, text in lines.items():
        change = partial(lambda text, file, outside: (file.parent / "labels" / "scene0.txt").write_text(text), text)
        yield file_case(f"labels: {what}", "lines of labels", "yolo", change)
    for what, text in {
        "the list of pictures names the whole disk": "/\n//\n/etc/passwd\n../../../../../../etc/passwd\n",
        "the list of pictures repeats": "images/scene0.png\n" * 10_000,
        "the list of pictures is binary": "\0\1\2\3" * 5_000,
    }.items():
        change = partial(lambda text, file, outside: (file.parent / "list.txt").write_text(text), text)
        yield file_case(what, "lines of labels", "yolo", change)


def _xml() -> Iterator[Case]:
    body = voc_text("scene5.png", BOXES)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 11))
    texts = {
        "a billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><annotation>&l10;</annotation>',
        "a quadratic entity": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]><annotation>{"&a;" * 100_000}</annotation>',
        "an external entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file://{outside}/canary.txt">]>'
        "<annotation><filename>&e;</filename></annotation>",
        "an external document type": '<!DOCTYPE x SYSTEM "file://{outside}/canary.xml">' + body,
        "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{outside}/canary.xml"> %p;]>' + body,
        "an entity of the network": '<!DOCTYPE x [<!ENTITY e SYSTEM "https://example.org/">]><annotation>&e;</annotation>',
        "elements nested deeply": "<annotation>" + "<a>" * DEPTH,
        "a wrong encoding": '<?xml version="1.0" encoding="utf-16"?>' + body,
        "an unknown encoding": '<?xml version="1.0" encoding="klingon"?>' + body,
        "UTF-7": '<?xml version="1.0" encoding="utf-7"?>' + body,
        "two roots": body * 2,
        "an unknown entity": body.replace("cat", "&cat;"),
        "a character that is none": body.replace("cat", "&#0;"),
        "JSON": "{}",
        "another root": "<html/>",
    }
    for what, text in texts.items():
        yield file_case(what, "XML", "voc", replaced(text), outcome="used" if what == "another root" else "refused")
    handled = {
        "elements nested deeply and closed": body.replace("<size>", "<a>" * DEPTH + "</a>" * DEPTH + "<size>"),
        "an include": body.replace("<size>", '<xi:include href="{outside}/canary.txt" parse="text"/><size>').replace(
            "<annotation>", '<annotation xmlns:xi="http://www.w3.org/2001/XInclude">'
        ),
        "a stylesheet": '<?xml-stylesheet href="{outside}/canary.xml"?>' + body,
        "a name of a million letters": body.replace("cat", "c" * 1_000_000),
        "an attribute of a million letters": body.replace("<size>", f'<size a="{"b" * 1_000_000}">'),
        "a name in parts": body.replace("cat", "<![CDATA[c]]>a<!-- x -->t"),
        "no file name": body.replace("scene5.png", ""),
        "two boxes in one object": body.replace("</bndbox>", "</bndbox><bndbox/>"),
        "no boxes": "<annotation/>",
        "difficult as a word": body.replace("</name>", "</name><difficult>yes</difficult>"),
        "a size of junk": body.replace("<width>64", "<width>inf"),
        "a huge size": body.replace("<width>64", "<width>1e300"),
    }
    for what, text in handled.items():
        yield file_case(what, "XML", "voc", replaced(text))
    lists = {"names outside": "../../outside/canary\n/etc/passwd\n", "the same a hundred times": "scene0\n" * 100}
    for what, text in lists.items():

        def listed(file: Path, outside: Path, text: str = text) -> None:
            main = file.parents[1] / "ImageSets" / "Main"
            main.mkdir(parents=True)
            (main / "train.txt").write_text(text)
            (main / "val.txt").write_text("scene1\n")

        yield file_case(f"lists with {what}", "XML", "voc", listed)


def _csv() -> Iterator[Case]:
    header = "filename,class,xmin,ymin,xmax,ymax\n"
    row = "scene0.png,cat,1,2,20,30\n"
    texts: dict[str, str | bytes] = {
        "a quote that never ends": header + row + '"scene1.png,cat,1,2,3,4\n' + row * 50_000,
        "a cell of a million letters": header + row + f"{'a' * 1_000_000},cat,1,2,3,4\n",
        "formulas": header + row + "\"=cmd|'/c calc'!A1\",cat,1,2,3,4\n",
        "rows that are too short": header + row + "scene1.png,cat\nscene2.png\n",
        "rows that are too long": header + row + "scene1.png" + ",x" * 100_000 + "\n",
        "columns that repeat": "filename,filename,class,class,xmin,ymin,xmax,ymax\n" + "a,b,cat,dog,1,2,3,4\n",
        "a header alone": header,
        "a header of a million columns": "a," * 1_000_000 + "\n" + row,
        "no header": row * 5,
        "other delimiters": header.replace(",", ";") + row,
        "splits of junk": "split," + header + "".join(f"{s},{row}" for s in ("../", "", "train\t", "x" * 9_000)),
        "line ends of an old Mac": (header + row * 3).replace("\n", "\r"),
        "a million rows of one picture": header + row * 300_000,
        "a thousand pictures that are not there": header + "".join(f"gone{n}.png,cat,1,2,3,4\n" for n in range(1_000)),
        "bytes that are no text": header.encode() + b"\xff\xfe" * 100 + b",cat,1,2,3,4\n",
        "a mark of bytes in the middle": (header + row).encode() + codecs.BOM_UTF8 + row.encode(),
    }
    for what, text in texts.items():
        yield file_case(what, "CSV", "csv", replaced(text))
    beside = partial(lambda file, outside: (file.parent / "notes.csv").write_text(f"{SECRET[:3]},b\n1,2\n"))
    yield file_case("another table beside", "CSV", "csv", beside, outcome="used")
