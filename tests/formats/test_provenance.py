import io
import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from export.export_cases import LARGEST_SEED, synthetic_image_set
from factories import noise_image, real_image_set
from PIL import Image

from diffaug_pipeline.formats.provenance import PROVENANCE_KEY, mark, provenance_records, tabulate_provenance
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.preparation import boxes_inside, encode_png

IPTC, XMP = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}", "{http://ns.adobe.com/xap/1.0/}"
TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def read(content: bytes) -> tuple[Image.Image, dict[str, str]]:
    """The decoded picture and what the attributes of its XMP say."""
    image = Image.open(io.BytesIO(content))
    image.load()
    description = ET.fromstring(image.info["xmp"].decode().strip("\ufeff"))[0][0]
    return image, description.attrib


def test_a_marked_file_has_the_same_pixels_and_says_everything(tmp_path):
    images = synthetic_image_set(tmp_path, ["cat"], "label", strength=0.3)
    [said] = provenance_records(images)
    png = encode_png(noise_image(0), Boxes.of([{"label": "a", "xyxy": [0, 0, 1, 1], "ignored": False}]))
    image, xmp = read(mark(png, said))
    assert np.array_equal(np.asarray(image), np.asarray(noise_image(0)))
    assert boxes_inside(image) == boxes_inside(Image.open(io.BytesIO(png)))
    assert json.loads(image.info[PROVENANCE_KEY]) == said
    assert said["seed"] == LARGEST_SEED
    assert said["strength"] == 0.3
    assert "eta" not in said
    assert image.info["Software"].startswith("diffaug_pipeline ")
    assert xmp[f"{IPTC}DigitalSourceType"] == f"{TERMS}trainedAlgorithmicMedia"
    assert xmp[f"{IPTC}AISystemUsed"] == "someone/generator"
    assert xmp[f"{IPTC}AISystemVersionUsed"] == "abc123"
    assert xmp[f"{IPTC}AIPromptInformation"] == 'a "fluffy" cat & a <dog> in Zürich; not: blurry'
    assert xmp[f"{XMP}CreatorTool"] == image.info["Software"]


@pytest.mark.parametrize(
    ("strategy", "term"),
    [
        ("composition", "compositeWithTrainedAlgorithmicMedia"),
        ("background_inpainting", "compositeWithTrainedAlgorithmicMedia"),
        ("object_inpainting", "compositeWithTrainedAlgorithmicMedia"),
        ("image_to_image", "trainedAlgorithmicMedia"),
        ("pseudo_labelling", "trainedAlgorithmicMedia"),
    ],
)
def test_scenes_with_real_pixels_are_composites(tmp_path, strategy, term):
    images = synthetic_image_set(tmp_path, [[]], "boxes", strategy=strategy)
    _, xmp = read(mark(encode_png(noise_image(1)), next(provenance_records(images))))
    assert xmp[f"{IPTC}DigitalSourceType"] == TERMS + term


def test_nothing_is_claimed_about_real_images(tmp_path):
    table = tabulate_provenance(real_image_set(tmp_path, {"train": 1}))
    assert table["origin"].tolist() == ["real", "real"]
    assert table.drop(columns=["image_id", "split", "origin"]).isna().all(axis=None)
