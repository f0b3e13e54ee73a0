"""Parquet files: fuzzed, cut off, lying, and small ones that hold much."""

import io
import json
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from factories import smooth_image
from faults.hostile_case import CLASSES, PICTURES, SIZE_PX, Case, Outcome
from faults.picture_bytes import black_png, cut, encoded, flipped

FLIPS = 24
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def hostile_parquet() -> Iterator[Case]:
    """All of them."""
    for seed in range(FLIPS):
        share = (0, 0.0005, 0.01)[seed % 3]
        yield _case(f"flipped bits {seed}", "bits flipped", partial(lambda s, h: flipped(table(), s, h), seed, share))
    for seed in range(FLIPS // 2):
        yield _case(f"flipped bits in the footer {seed}", "bits flipped", partial(_spoilt_footer, seed))
    for share in (0.0001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999):
        yield _case(f"cut at {share:.2%}", "cut off", partial(lambda share: cut(table(), share), share), "refused")
    for size in (0, 2**31 - 1, 2**32 - 1, 7):
        lying = partial(lambda size: table()[:-8] + struct.pack("<I", size) + b"PAR1", size)
        yield _case(f"a footer of {size} bytes", "lying", lying, "refused")
    yield _case("an encrypted footer", "lying", lambda: table()[:-4] + b"PARE", "refused")
    yield _case("a picture", "lying", lambda: encoded("PNG"), "refused")
    yield _case("nothing", "lying", bytes, "refused")
    yield from _strange_columns()
    yield from _bombs()
    yield from _outside()


def table(
    images: list[Any] | None = None,
    labels: list[Any] | None = None,
    *,
    metadata: Any = None,
    names: Any = None,
    **options: Any,
) -> bytes:
    """A parquet file of cats and dogs with other cells behind them."""
    many = len(CLASSES) * PICTURES
    pictures = [
        {"bytes": encoded("PNG", smooth_image(f"row {number}", SIZE_PX)), "path": f"{number}.png"}
        for number in range(many)
    ]
    columns = {
        "image": pa.array([*pictures, *(images or [])], IMAGE),
        "label": pa.array(labels if labels is not None else [number % 2 for number in range(many + len(images or []))]),
    }
    described = {"info": {"features": {"label": {"names": list(CLASSES) if names is None else names}}}}
    text = json.dumps(described) if metadata is None else metadata
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata({"huggingface": text}), buffer, **options)
    return buffer.getvalue()


def _case(name: str, kind: str, content: Callable[[], bytes], outcome: Outcome = "either", **more: Any) -> Case:
    def build(root: Path, outside: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "data.parquet").write_bytes(content())

    return Case(f"parquet: {name}", f"parquet: {kind}", "classification", build, outcome, **more)


def _spoilt_footer(seed: int) -> bytes:
    content = table()
    (size,) = struct.unpack("<I", content[-8:-4])
    return content[: -8 - size] + flipped(content[-8 - size : -8], seed, 0.01) + content[-8:]


def _strange_columns() -> Iterator[Case]:
    kind = "strange columns"
    many = len(CLASSES) * PICTURES
    names = [CLASSES[number % 2] for number in range(many)]
    labels: dict[str, list[Any]] = {
        "labels out of range": [*([0, 1] * (PICTURES - 1)), 7, -5],
        "labels that are missing": [*([0, 1] * (PICTURES - 1)), None, -1],
        "labels of text": names,
        "empty labels": [*names[:-1], ""],
        "labels with NUL and newlines": [f"{name}\0\n" for name in names],
        "labels of bytes": [name.encode() + b"\xff" for name in names],
        "labels of floats": [float(number % 2) + 0.5 for number in range(many)],
        "labels that are no numbers": [float("nan")] * many,
        "labels that are lists": [[number % 2] for number in range(many)],
        "labels that are records": [{"a": number % 2} for number in range(many)],
        "labels with slashes": [f"../{name}/.." for name in names],
        "labels that are very long": [name * 100_000 for name in names],
        "labels that are true or false": [bool(number % 2) for number in range(many)],
        "labels that are huge": [2**62 + number % 2 for number in range(many)],
    }
    for what, values in labels.items():
        yield _case(what, kind, partial(table, labels=values))
    described: dict[str, Any] = {
        "metadata that is no JSON": "{",
        "metadata without info": "{}",
        "metadata that is a list": "[1]",
        "metadata whose features are text": '{"info": {"features": "label"}}',
        "metadata whose label is null": '{"info": {"features": {"label": null}}}',
        "metadata that is no UTF-8": b"\xff\xfe\xfd",
        "metadata nested a hundred thousand times": "[" * 100_000,
    }
    for what, text in described.items():
        yield _case(what, kind, partial(table, metadata=text))
    for what, value in {
        "one name": ["cat"],
        "names that are numbers": [1, 2],
        "names that are text": "cd",
        "names that are a record": {"a": "b"},
        "the same name twice": ["cat", "cat"],
        "a name that is null": ["cat", None],
        "names that are empty": ["", " "],
        "a lone surrogate": ["cat", "\ud800"],
    }.items():
        yield _case(what, kind, partial(table, names=value))
    for what, column in {
        "an image column of numbers": pa.array(range(many)),
        "an image column of text": pa.array(names),
        "an image column of bytes": pa.array([encoded("PNG", smooth_image(f"b{n}", SIZE_PX)) for n in range(many)]),
        "an image column of nulls": pa.nulls(many),
        "an image column of lists": pa.array([[1, 2]] * many),
    }.items():
        yield _case(what, kind, partial(_columns, column, pa.array(names)))
    yield _case("no columns", kind, partial(_columns, None, None), "refused")
    yield _case("no rows", kind, partial(_columns, pa.array([], IMAGE), pa.array([], pa.int64())), "refused")


def _columns(images: pa.Array | None, labels: pa.Array | None) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({} if images is None else {"image": images, "label": labels}), buffer)
    return buffer.getvalue()


def _bombs() -> Iterator[Case]:
    kind = "bombs"
    bomb = black_png(30_000, 30_000)
    refused = {"outcome": "refused", "names": ("data/000012",)}
    yield _case("a decompression bomb in a row", kind, lambda: table([{"bytes": bomb}]), **refused)
    yield _case("a row of 200 MB of zeros", kind, lambda: _rows_of_zeros(1, 200), **refused)
    yield _case("two hundred rows of 10 MB of zeros", kind, lambda: _rows_of_zeros(200, 10), **refused)
    yield _case("two hundred rows that share 10 MB", kind, lambda: _shared_zeros(200, 10), **refused)
    yield _case(
        "a hundred thousand empty rows", kind, lambda: table([None] * 100_000), "refused", names=("data/000012",)
    )


def _rows_of_zeros(count: int, megabytes: int) -> bytes:
    """In one row group, never held together."""
    buffer, zeros = io.BytesIO(), bytes(megabytes << 20)
    with pq.ParquetWriter(
        buffer, table_of([]).schema, compression="zstd", use_dictionary=False, write_statistics=False
    ) as writer:
        writer.write_batch(table_of(small_pictures()).to_batches()[0])
        for _ in range(count):
            writer.write_batch(table_of([zeros]).to_batches()[0])
    return buffer.getvalue()


def _shared_zeros(count: int, megabytes: int) -> bytes:
    """One value that many rows point at."""
    pictures = small_pictures()
    places = pa.array([*range(len(pictures)), *[len(pictures)] * count], pa.int32())
    images = pa.DictionaryArray.from_arrays(places, pa.array([*pictures, bytes(megabytes << 20)], pa.binary()))
    buffer = io.BytesIO()
    cells = pa.table({"image": images, "label": pa.array([CLASSES[number % 2] for number in range(len(places))])})
    pq.write_table(cells, buffer, compression="zstd", store_schema=False, dictionary_pagesize_limit=1 << 30)
    return buffer.getvalue()


def small_pictures() -> list[bytes]:
    """Good ones, for the first rows."""
    return [encoded("PNG", smooth_image(f"row {number}", SIZE_PX)) for number in range(len(CLASSES) * PICTURES)]


def table_of(images: list[bytes]) -> pa.Table:
    """Cats and dogs in turn."""
    labels = [CLASSES[number % 2] for number in range(len(images))]
    return pa.table({"image": pa.array(images, pa.binary()), "label": pa.array(labels, pa.string())})


def _outside() -> Iterator[Case]:
    kind = "pointing outside"

    def linked(root: Path, outside: Path) -> None:
        root.mkdir(parents=True)
        (root / "data.parquet").write_bytes(table())
        (outside / "canary.parquet").write_bytes(
            table([{"bytes": encoded("PNG", smooth_image("canary"))}], names=["the canary sings", "dog"])
        )
        (root / "more.parquet").symlink_to(outside / "canary.parquet")

    yield Case("parquet: a link outside", f"parquet: {kind}", "classification", linked, "refused", ("more.parquet",))

    def pathed(root: Path, outside: Path) -> None:
        root.mkdir(parents=True)
        rows = [{"bytes": None, "path": str(outside / "canary.png")}, {"bytes": b"", "path": "/etc/passwd"}]
        (root / "data.parquet").write_bytes(table(rows))

    yield Case(
        "parquet: paths in place of bytes",
        f"parquet: {kind}",
        "classification",
        pathed,
        "refused",
        ("data/000012", "data/000013"),
    )

    def hidden(root: Path, outside: Path) -> None:
        (root / ".cache").mkdir(parents=True)
        (root / "data.parquet").write_bytes(table())
        (root / ".cache" / "more.parquet").write_bytes(b"PAR1")

    yield Case("parquet: a damaged one in a hidden folder", f"parquet: {kind}", "classification", hidden, "used")

    def folder(root: Path, outside: Path) -> None:
        (root / "more.parquet").mkdir(parents=True)
        (root / "data.parquet").write_bytes(table())

    yield Case("parquet: a folder of that name", f"parquet: {kind}", "classification", folder, "used")
