import json

import numpy as np
import pandas as pd
import pytest
from auditing.audit_cases import COPIES, OPTIONS, embedded_garments, image_set
from factories import smooth_image

from diffaug_pipeline.auditing import copies as auditing
from diffaug_pipeline.auditing.copies import find_copies
from diffaug_pipeline.imaging.thumbnails import thumbnails


@pytest.fixture(scope="module")
def audit():
    """Garments of the embedded task. Among the synthetic ones are test images in every way of copying, re-encoded
    training images, and garments that are no copies of anything."""
    validation = embedded_garments("validation", 210)
    real = {"train": embedded_garments("train", 100), "val": validation[::3], "test": embedded_garments("test", 100)}
    synthetic = {f"{kind}/test/{n}": copy(real["test"][n]) for kind, copy in COPIES.items() for n in range(0, 100, 6)}
    synthetic |= {f"{kind}/train/{n}": COPIES[kind](real["train"][n]) for kind in ("jpeg", "webp") for n in range(20)}
    synthetic |= {f"independent/{n}": picture for n, picture in enumerate(validation) if n % 3}
    return find_copies(
        image_set(list(synthetic), "train", "synthetic"),
        image_set(
            [f"{split}/{number}" for split, pictures in real.items() for number in range(len(pictures))],
            [split for split, pictures in real.items() for _ in pictures],
            "real",
        ),
        thumbnails(list(synthetic.values())),
        thumbnails([picture for pictures in real.values() for picture in pictures]),
        OPTIONS,
    )


def rows(copies: pd.DataFrame, start: str) -> pd.DataFrame:
    return copies[copies["image_id"].str.startswith(start)]


@pytest.mark.parametrize("kind", COPIES)
def test_leak_every_planted_test_image_is_caught(audit, kind):
    planted = rows(audit[0], f"{kind}/test/")
    assert len(planted) == 17
    assert planted["is_held_out_copy"].all()
    assert (planted["nearest_held_out_image_id"] == planted["image_id"].str.removeprefix(f"{kind}/")).all()


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_memoriser_every_planted_training_image_is_flagged(audit, kind):
    planted = rows(audit[0], f"{kind}/train/")
    assert len(planted) == 20
    assert planted["is_train_copy"].all()
    assert (planted["nearest_train_image_id"] == planted["image_id"].str.removeprefix(f"{kind}/")).all()


def test_independent_at_most_one_percent_is_flagged(audit):
    independent = rows(audit[0], "independent/")
    assert len(independent) == 140
    assert (independent["is_held_out_copy"] | independent["is_train_copy"]).mean() <= 0.01


def test_training_images_are_no_copies_of_test_images(audit):
    assert not rows(audit[0], "jpeg/train")["is_held_out_copy"].any()


def test_the_calibration_says_what_was_decided_and_how_sure_it_is(audit):
    copies, calibration = audit
    assert calibration["images"] == len(copies)
    assert calibration["real_images"] == 270
    for name in ("train", "held_out"):
        document = calibration[name]
        assert document["flagged"] == copies[f"is_{name}_copy"].sum()
        assert document["calibration_images"] == 100
        assert document["independent_images"] == 70
        assert document["independent_flagged_rate"] == document["independent_flagged"] / 70 <= 0.02
        distances = [pair["distance"] for pair in document["closest"]]
        assert distances == sorted(copies[f"{name}_distance"])[: len(distances)]
        closest = document["closest"][0]
        row = copies.set_index("image_id").loc[closest["image_id"]]
        assert row[f"nearest_{name}_image_id"] == closest["real_image_id"]
    assert json.loads(json.dumps(calibration)) == calibration


def smooth_set(names: list[str], splits: list[str] | str, origin: str, **columns):
    """Pictures of blots by the part of their name before the colon, and their thumbnails."""
    pictures = [smooth_image(name.split(":")[0]) for name in names]
    return image_set(names, splits, origin, **columns), thumbnails(pictures)


@pytest.fixture
def real():
    return smooth_set([f"r{n}" for n in range(12)], ["train"] * 6 + ["val"] * 3 + ["test"] * 3, "real")


def test_an_image_is_no_copy_of_its_own_source(real):
    names, sources = ["r0:again", "r1:again", "new", "r8:again"], ["r0", "r2", "r3", None]
    synthetic, pixels = smooth_set(names, "train", "synthetic", source_image_id=sources)
    copies, _ = find_copies(synthetic, real[0], pixels, real[1], OPTIONS)
    assert copies["is_train_copy"].tolist() == [False, True, False, False]
    assert copies["is_held_out_copy"].tolist() == [False, False, False, True]
    assert copies["nearest_train_image_id"][1] == "r1"
    assert copies["nearest_held_out_image_id"][3] == "r8"
    assert copies["nearest_train_image_id"][0] != "r0"
    source_distances = copies["source_distance"]
    assert source_distances[0] == pytest.approx(0, abs=1e-6)
    assert (source_distances[1:3] > 0.05).all()
    assert np.isnan(source_distances[3])


def test_images_without_the_column_have_no_source(real):
    synthetic, pixels = smooth_set(["r0:again"], "train", "synthetic")
    copies, _ = find_copies(synthetic, real[0], pixels, real[1], OPTIONS)
    assert copies["is_train_copy"].all()
    assert copies["source_distance"].isna().all()


def test_test_images_have_no_say_in_what_a_copy_of_a_training_image_is(real):
    synthetic, pixels = smooth_set(["r0:again", "new"], "train", "synthetic")
    other_pixels = real[1].copy()
    other_pixels[9:] = thumbnails([smooth_image(f"other {n}") for n in range(3)])
    audits = [find_copies(synthetic, real[0], pixels, real_pixels, OPTIONS) for real_pixels in (real[1], other_pixels)]
    of_train = ["nearest_train_image_id", "train_distance", "is_train_copy"]
    pd.testing.assert_frame_equal(audits[0][0][of_train], audits[1][0][of_train])
    assert audits[0][1]["train"] == audits[1][1]["train"]


def test_large_sets_are_calibrated_on_a_sample(real, monkeypatch):
    monkeypatch.setattr(auditing, "CALIBRATION_IMAGES", 2)
    synthetic, pixels = smooth_set(["new"], "train", "synthetic")
    _, calibration = find_copies(synthetic, real[0], pixels, real[1], OPTIONS)
    assert (calibration["train"]["calibration_images"], calibration["train"]["independent_images"]) == (2, 2)


def test_no_synthetic_images_are_no_copies(real):
    synthetic, pixels = smooth_set(["new"], "train", "synthetic")
    nobody = type(synthetic)(synthetic.index.head(0))
    copies, calibration = find_copies(nobody, real[0], pixels[:0], real[1], OPTIONS)
    assert len(copies) == 0
    assert calibration["held_out"]["flagged"] == 0
