import io

import numpy as np
import pytest
from PIL import Image

from diffaug_pipeline.imaging.preparation import encode_png, fit_image, open_image, to_rgb


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def test_16_bit_gray_is_scaled_not_clipped():
    ramp = Image.fromarray(np.array([[0, 32_768, 65_535]], dtype=np.uint16))
    assert np.asarray(to_rgb(ramp))[0, :, 0].tolist() == [0, 128, 255]


def test_a_16_bit_png_survives_the_file():
    ramp = Image.fromarray(np.array([[0, 32_768, 65_535]], dtype=np.uint16))
    assert np.asarray(open_image(saved(ramp, "PNG")))[0, :, 0].tolist() == [0, 128, 255]


def test_float_gray_in_0_1_is_scaled():
    image = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert np.asarray(to_rgb(image))[0, :, 0].tolist() == [0, 128, 255]


def test_transparency_is_laid_on_black():
    image = Image.new("RGBA", (2, 1), (200, 100, 50, 255))
    image.putpixel((1, 0), (255, 255, 255, 0))
    assert [to_rgb(image).getpixel((x, 0)) for x in (0, 1)] == [(200, 100, 50), (0, 0, 0)]


def test_a_palette_with_transparency_becomes_rgb():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 200, 30] + [0] * 762)
    image.info["transparency"] = 0
    assert to_rgb(image).getpixel((0, 0)) == (10, 200, 30)


def test_cmyk_becomes_rgb():
    assert to_rgb(Image.new("CMYK", (2, 2), (0, 255, 255, 0))).getpixel((0, 0)) == (255, 0, 0)


def test_exif_rotation_is_applied():
    image = Image.new("RGB", (30, 10), "white")
    image.paste("red", (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = open_image(saved(image, "PNG", exif=exif))
    assert upright.size == (10, 30)
    assert upright.getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("size", [(317, 211), (13, 900), (1, 1), (64, 64), (5000, 3)])
@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_any_shape_fits(size, fit):
    fitted = fit_image(Image.new("RGB", size, "white"), (64, 48), fit)
    assert fitted.image.size == (64, 48)
    assert fitted.original_size_px == size


@pytest.mark.parametrize("target", [(224, 224), (336, 336), (32, 48)])
@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_no_size_is_lost_to_rounding(target, fit):
    for side in range(1, 700):
        assert fit_image(Image.new("L", (side, 3 * side // 2 + 1)), target, fit).image.size == target


def test_contain_shows_everything_and_cover_leaves_no_border():
    wide = Image.new("RGB", (40, 10), "white")
    contained = np.asarray(fit_image(wide, (20, 20), "contain").image)
    covered = np.asarray(fit_image(wide, (20, 20), "cover").image)
    assert (contained == 255).mean() == pytest.approx(0.25)
    assert (covered == 255).all()


def test_the_recorded_affine_maps_points():
    image = Image.new("RGB", (100, 50))
    image.paste("white", (70, 30, 80, 40))
    fitted = fit_image(image, (32, 32), "contain")
    x, y = (
        value * scale + offset for value, scale, offset in zip((75, 35), fitted.scale, fitted.offset_px, strict=True)
    )
    assert fitted.image.getpixel((int(x), int(y)))[0] > 200


def test_png_bytes_are_reproducible():
    image = Image.effect_noise((64, 64), 40).convert("RGB")
    assert encode_png(image) == encode_png(image.copy())
