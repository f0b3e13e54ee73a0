import pytest
from factories import noise_image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.ingestion.picture_files import list_pictures


def test_pictures_are_labelled_by_the_folder_they_lie_in(tmp_path):
    for name in ("cat/b.png", "cat/a.jpg", "dog/deep/c.PNG"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise_image(len(name), (20, 10)).save(path)
    (tmp_path / "notes.txt").write_text("no picture")
    images = list_pictures(tmp_path, "synthetic", max_megapixels=1)
    assert images.index[["image_id", "label"]].values.tolist() == [
        ["cat/a.jpg", "cat"],
        ["cat/b.png", "cat"],
        ["dog/deep/c.PNG", "deep"],
    ]
    assert set(images.index["origin"]) == {"synthetic"}
    assert set(images.index["split"]) == {"train"}
    assert [picture.size for picture in images] == [(20, 10)] * 3


def test_nothing_and_what_does_not_decode_are_refused(tmp_path):
    with pytest.raises(DatasetFormatError, match="holds no pictures"):
        list_pictures(tmp_path, "real", max_megapixels=1)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(DatasetFormatError, match=r"broken\.png: .*; mend or remove it"):
        list_pictures(tmp_path, "real", max_megapixels=1)
