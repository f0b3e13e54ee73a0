"""Files that say they are pictures: fuzzed, cut off, misnamed, lying about their size, odd, or bombs."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from factories import smooth_image
from faults.hostile_case import Case, picture_case
from faults.picture_bytes import MAGIC, black_png, chunk, cut, encoded, flipped, png, png_with, tiff, zeros
from PIL import Image

FLIPS, STAGES = 14, (0.02, 0.1, 0.3, 0.5, 0.8, 0.97)
SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
EXIF_TAG, ICC_BYTES = 0x0112, 40_000
PROGRAM = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(%pipe%touch executed) (w) file\nshowpage\n"


def hostile_pictures() -> Iterator[Case]:
    """All of them, as files in a folder of dogs."""
    yield from _fuzzed()
    yield from _misnamed()
    yield from _lying_about_their_size()
    yield from _bombs()
    yield from _odd()


def _fuzzed() -> Iterator[Case]:
    for name, suffix in SUFFIXES.items():
        file = f"hostile.{suffix}"
        for seed in range(FLIPS):
            share = (0, 0.002, 0.05)[seed % 3]
            content = partial(lambda name, seed, share: flipped(encoded(name), seed, share), name, seed, share)
            yield picture_case(f"{name} with flipped bits {seed}", "bits flipped", content, file=file)
        for stage in STAGES:
            content = partial(lambda name, stage: cut(encoded(name), stage), name, stage)
            outcome = "either" if stage > 0.9 else "refused"
            yield picture_case(f"{name} cut at {stage:.0%}", "cut off", content, outcome, file=file)


def _misnamed() -> Iterator[Case]:
    kind = "empty or misnamed"
    for name, suffix in SUFFIXES.items():
        other = {"PNG": "JPEG"}.get(name, "PNG")
        yield picture_case(f"an empty {suffix}", kind, bytes, "refused", file=f"hostile.{suffix}")
        yield picture_case(f"zeros as {suffix}", kind, lambda: bytes(5_000), "refused", file=f"hostile.{suffix}")
        junk = partial(lambda name: MAGIC[name] + np.random.default_rng(len(name)).bytes(3_000), name)
        yield picture_case(f"junk behind the magic of {suffix}", kind, junk, "refused", file=f"hostile.{suffix}")
        yield picture_case(f"{other} called {suffix}", kind, partial(encoded, other), "used", file=f"hostile.{suffix}")
    scripts = {
        "a shell script": b"#!/bin/sh\ntouch executed\n",
        "a pickle": b"cos\nsystem\n(S'touch executed'\ntR.",
        "PostScript": PROGRAM,
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "a page": b"<!doctype html><img src=x onerror=alert(1)>",
        "an executable": b"\x7fELF" + bytes(500),
        "PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/Launch>>>>endobj\n%%EOF",
    }
    for what, content in scripts.items():
        yield picture_case(f"{what} as png", "programs as pictures", partial(bytes, content), "refused")
    yield picture_case(
        "PostScript as eps", "programs as pictures", partial(bytes, PROGRAM), "refused", file="hostile.eps"
    )
    yield picture_case(
        "a picture with a zip behind it", "programs as pictures", lambda: encoded("PNG") + b"PK\x05\x06" + bytes(18)
    )


def _lying_about_their_size() -> Iterator[Case]:
    kind = "size in the header"
    for width, height in ((2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (1, 2**31 - 1), (60_000, 60_000), (0, 5), (5, 0)):
        yield picture_case(
            f"a PNG that says {width}x{height}",
            kind,
            partial(png, width, height, chunk(b"IDAT", zeros(100))),
            "refused",
        )
        bmp = partial(
            lambda width, height: encoded("BMP")[:18] + struct.pack("<ii", width, height) + encoded("BMP")[26:],
            width,
            height,
        )
        yield picture_case(f"a BMP that says {width}x{height}", kind, bmp, "refused", file="hostile.bmp")
    for width, height in ((65_535, 65_535), (65_535, 1), (0, 0)):
        gif = partial(
            lambda width, height: encoded("GIF")[:6] + struct.pack("<HH", width, height) + encoded("GIF")[10:],
            width,
            height,
        )
        yield picture_case(f"a GIF that says {width}x{height}", kind, gif, file="hostile.gif")
        yield picture_case(
            f"a JPEG that says {width}x{height}", kind, partial(_jpeg_of_size, width, height), file="hostile.jpg"
        )
    yield picture_case("a TIFF with strips of 4 GB", kind, _tiff_of_large_strips, file="hostile.tif")
    yield picture_case(
        "a WebP that says 16383x16383",
        kind,
        lambda: encoded("WEBP")[:26] + struct.pack("<HH", 16_383, 16_383) + encoded("WEBP")[30:],
        "refused",
        file="hostile.webp",
    )


def _jpeg_of_size(width: int, height: int) -> bytes:
    content = encoded("JPEG")
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


GRAY_TIFF = ((256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8))


def _tiff_of_large_strips() -> bytes:
    return tiff(*GRAY_TIFF, (279, 4, 1, 2**32 - 1), (278, 4, 1, 8))[:120]


def _bombs() -> Iterator[Case]:
    kind = "decompression bombs"
    for width, height in ((50_000, 50_000), (30_000, 30_000), (10_000, 5_001), (1_000_000, 60)):
        yield picture_case(f"a black PNG of {width}x{height}", kind, partial(black_png, width, height), "refused")
    yield picture_case("a black PNG just within the limit", kind, partial(black_png, 9_000, 5_500), "used")
    small = chunk(b"IDAT", zlib.compress(bytes(9 * 8)))
    for name, header in ((b"iCCP", b"profile\0\0"), (b"zTXt", b"comment\0\0"), (b"iTXt", b"comment\0\1\0\0\0")):
        bomb = partial(lambda name, header: png(8, 8, chunk(name, header + zeros(1 << 28)), small), name, header)
        yield picture_case(f"256 MB in {name.decode()}", kind, bomb)
    yield picture_case("thousands of comments in PNG", kind, _many_comments)
    yield picture_case("a PNG with a thousand empty IDAT", kind, lambda: png(8, 8, *[chunk(b"IDAT", b"")] * 1_000))
    yield picture_case("30,000 frames of GIF", kind, lambda: _gif_of_frames(30_000), file="hostile.gif")
    yield picture_case(
        "a directory of TIFF that follows itself", kind, lambda: tiff(*GRAY_TIFF, next_directory=8), file="hostile.tif"
    )
    yield picture_case("30,000 directories of TIFF", kind, lambda: _tiff_of_pages(30_000), file="hostile.tif")
    yield picture_case("a hundred frames of APNG", kind, lambda: _animation("PNG"), "used")
    yield picture_case("a hundred frames of WebP", kind, lambda: _animation("WEBP"), "used", file="hostile.webp")
    yield picture_case(
        "a large JPEG of one color",
        kind,
        lambda: encoded("JPEG", Image.new("L", (12_000, 8_000))),
        "refused",
        file="hostile.jpg",
    )


def _many_comments() -> bytes:
    packed = zeros(1 << 20)
    comments = [chunk(b"zTXt", b"c%d\0\0" % number + packed) for number in range(2_000)]
    return png(8, 8, *comments, chunk(b"IDAT", zlib.compress(bytes(9 * 8))))


def _gif_of_frames(count: int) -> bytes:
    content = encoded("GIF", Image.new("P", (2, 2)))
    frame = content[content.index(b",\0\0\0\0") : -1]
    return content[:-1] + frame * count + b";"


def _tiff_of_pages(count: int) -> bytes:
    entries = struct.pack("<H", len(GRAY_TIFF)) + b"".join(struct.pack("<HHII", *entry) for entry in GRAY_TIFF)
    step = len(entries) + 4
    pages = [entries + struct.pack("<I", 16 + (number + 1) * step) for number in range(count - 1)]
    return MAGIC["TIFF"] + struct.pack("<I", 16) + bytes(8) + b"".join(pages) + entries + bytes(4)


def _animation(name: str) -> bytes:
    frames = [Image.new("RGB", (300, 300), (number, 0, 0)) for number in range(100)]
    return encoded(name, frames[0], save_all=True, append_images=frames[1:])


def _odd() -> Iterator[Case]:
    kind = "odd pictures"
    pictures: dict[str, Callable[[], bytes]] = {
        "1x1": lambda: encoded("PNG", Image.new("RGB", (1, 1), "red")),
        "1x60000": lambda: encoded("PNG", Image.new("RGB", (1, 60_000), "red")),
        "60000x1": lambda: encoded("JPEG", Image.new("RGB", (60_000, 1), "red")),
        "16-bit gray": lambda: encoded("PNG", Image.fromarray(np.arange(2_500, dtype=np.uint16).reshape(50, 50) * 26)),
        "CMYK": lambda: encoded("JPEG", smooth_image("cmyk", (40, 40)).convert("CMYK")),
        "a palette with transparency": _transparent_palette,
        "gray with alpha": lambda: encoded("PNG", smooth_image("la", (40, 40)).convert("LA")),
        "one bit": lambda: encoded("PNG", smooth_image("bit", (40, 40)).convert("1")),
        "LAB": lambda: encoded("TIFF", Image.new("LAB", (20, 20))),
        "floats that are no numbers": lambda: encoded("TIFF", _strange_floats()),
        "32-bit integers": lambda: encoded(
            "TIFF", Image.fromarray(np.arange(-1_250, 1_250, dtype=np.int32).reshape(50, 50))
        ),
        "an animation": lambda: encoded(
            "GIF", Image.new("P", (9, 9)), save_all=True, append_images=[Image.new("P", (9, 9), 128)]
        ),
        "interlaced by hand": lambda: encoded("GIF", interlace=1),
    }
    for orientation in (0, 2, 5, 6, 8, 9, 255, 65_535):
        pictures[f"EXIF orientation {orientation}"] = partial(_rotated, orientation)
    for what, content in pictures.items():
        yield picture_case(what, kind, content, "used", file="hostile.jpg")
    garbage = np.random.default_rng(5).bytes(ICC_BYTES)
    profile = flipped(_profile(), 1, 0.05)
    spoilt = {
        "EXIF of junk": lambda: encoded("JPEG", exif=b"Exif\0\0" + garbage[:60_000]),
        "EXIF in WebP of junk": lambda: encoded("WEBP", exif=garbage),
        "EXIF in PNG of junk": lambda: png_with(chunk(b"eXIf", garbage)),
        "EXIF that points behind its end": lambda: encoded("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"),
        "EXIF whose orientation is text": _orientation_of_text,
        "EXIF that follows itself": lambda: encoded("JPEG", exif=b"Exif\0\0" + tiff(next_directory=8)),
        "a color profile of junk": lambda: encoded("JPEG", icc_profile=garbage),
        "a color profile with flipped bits": lambda: encoded("PNG", icc_profile=profile),
        "XMP of junk": lambda: encoded("JPEG", xmp=garbage),
        "XMP of many entities": lambda: encoded("JPEG", xmp=b'<!DOCTYPE x [<!ENTITY a "aa">]><x>&a;</x>'),
        "a chunk with a wrong checksum": lambda: encoded("PNG")[:-20] + bytes(4) + encoded("PNG")[-16:],
        "a palette that is too short": lambda: png(
            8, 8, chunk(b"PLTE", b"abc"), chunk(b"IDAT", zlib.compress(b"\5" * 72)), color=3
        ),
        "no palette": lambda: png(8, 8, chunk(b"IDAT", zlib.compress(bytes(72))), color=3),
        "an unknown color type": lambda: png(8, 8, chunk(b"IDAT", zlib.compress(bytes(72))), color=77),
        "too little data": lambda: png(80, 80, chunk(b"IDAT", zlib.compress(bytes(72)))),
        "no data": lambda: png(8, 8),
    }
    for what, content in spoilt.items():
        yield picture_case(what, "metadata of junk", content, file="hostile.png")


def _transparent_palette() -> bytes:
    return encoded("PNG", smooth_image("palette", (40, 40)).quantize(16), transparency=bytes(range(16)))


def _strange_floats() -> Image.Image:
    values = np.linspace(-1, 2, 400, dtype=np.float32).reshape(20, 20)
    values[0, :4] = np.nan, np.inf, -np.inf, 3e38
    return Image.fromarray(values)


def _rotated(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[EXIF_TAG] = orientation
    return encoded("JPEG", smooth_image(f"turned {orientation}", (60, 30)), exif=exif)


def _orientation_of_text() -> bytes:
    return encoded("JPEG", exif=b"Exif\0\0" + tiff((EXIF_TAG, 2, 4, struct.unpack("<I", b"six\0")[0]))[:40])


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
