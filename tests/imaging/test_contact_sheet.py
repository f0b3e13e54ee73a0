from pathlib import Path

import numpy as np
from factories import real_image_set
from PIL import Image

from diffaug_pipeline.imaging.contact_sheet import LABEL_WIDTH_PX, draw_contact_sheet
from diffaug_pipeline.imaging.preparation import open_image


def test_one_row_of_thumbnails_per_class(tmp_path):
    images = real_image_set(tmp_path, {"train": 5}, ("cat", "dog", "a class with a very long name indeed"))
    sheet = draw_contact_sheet(images.index, lambda path: open_image(Path(path)))
    assert sheet.height > 3 * 64
    pictures = np.asarray(sheet)[:, LABEL_WIDTH_PX:]
    colored = pictures.std(axis=2) > 20
    assert 3 * 5 * 64 * 64 * 0.5 < colored.sum() < 3 * 5 * 64 * 64


def test_only_the_shown_pictures_are_read(tmp_path):
    images = real_image_set(tmp_path, {"train": 40}, ("cat",))
    read = []
    draw_contact_sheet(images.index, lambda path: read.append(path) or Image.new("RGB", (8, 8)))
    assert len(read) == 12
    assert len(set(read)) == 12
