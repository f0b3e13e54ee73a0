"""The bytes of picture files, whole, spoilt, and put together by hand."""

import io
import struct
import zlib

import numpy as np
from factories import smooth_image
from PIL import Image

MAGIC = {
    "PNG": b"\x89PNG\r\n\x1a\n",
    "JPEG": b"\xff\xd8\xff\xe0",
    "WEBP": b"RIFF\xff\xff\xff\x7fWEBPVP8 ",
    "GIF": b"GIF89a",
    "BMP": b"BM",
    "TIFF": b"II*\x00",
}


def encoded(name: str, image: Image.Image | None = None, **options: object) -> bytes:
    """A picture in a format, as a good program saves it."""
    buffer = io.BytesIO()
    (image or smooth_image("victim", (70, 50))).save(buffer, format=name, **options)
    return buffer.getvalue()


def flipped(content: bytes, seed: int, share: float = 0.002) -> bytes:
    """With some of its bits flipped, at least one."""
    rng = np.random.default_rng(seed)
    values = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, len(values), max(1, round(share * len(values))))
    values[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
    return values.tobytes()


def cut(content: bytes, share: float) -> bytes:
    """The beginning of it."""
    return content[: max(1, int(share * len(content)))]


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 0) -> bytes:
    """A PNG file with a header and `chunks`."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return MAGIC["PNG"] + header + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """`count` zero bytes, deflated, without ever holding them."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join(parts) + packer.compress(bytes(count & ((1 << 20) - 1))) + packer.flush()


def black_png(width: int, height: int) -> bytes:
    """One bit per pixel: as small as a PNG file of the size can be."""
    return png(width, height, chunk(b"IDAT", zeros((1 + (width + 7) // 8) * height)), depth=1)


def tiff(*entries: tuple[int, int, int, int], next_directory: int = 0) -> bytes:
    """A TIFF file with one directory of (tag, type, count, value)."""
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return MAGIC["TIFF"] + struct.pack("<I", 8) + directory + struct.pack("<I", next_directory) + bytes(64)


def png_with(*chunks: bytes) -> bytes:
    """A good PNG file with more chunks behind its header."""
    content = encoded("PNG")
    return content[:33] + b"".join(chunks) + content[33:]
