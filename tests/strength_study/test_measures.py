import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import real_image_set, rehashed, smooth_image
from PIL import Image
from scipy.spatial.distance import cdist, cosine, pdist
from strength_study.study_cases import judging_options

from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.strength_study.measures import SeenSources, measure_images, sibling_distances, thumbnail_distance

SIZE_PX = (32, 32)


@pytest.fixture
def real(tmp_path) -> ImageSet:
    """Two training images of each class, none of them square."""
    images = real_image_set(tmp_path / "real", {"train": 2, "test": 1})
    for number, path in enumerate(images.index["path"]):
        smooth_image(f"real {number}", (40 + 7 * number, 61)).save(path)
    return rehashed(images)


@pytest.fixture
def made(real, tmp_path) -> ImageSet:
    """Of each training image: itself, a darker one and another picture, at strengths 0.1 and 0.9."""
    folder, rows = tmp_path / "made", []
    folder.mkdir()
    for source in real.where(split="train").index["image_id"]:
        seen = fit_image(real.read(source), SIZE_PX, "cover").image
        pictures = {0.1: [seen, seen.point(lambda x: x * 0.9)], 0.9: [seen.rotate(90), smooth_image(f"not {source}")]}
        for strength, of_strength in pictures.items():
            for sample, picture in enumerate(of_strength):
                path = folder / f"{len(rows)}.png"
                picture.save(path)
                rows.append(
                    {
                        "image_id": f"synthetic:{source}/{sample}/{strength:g}",
                        "path": str(path),
                        "width_px": SIZE_PX[0],
                        "height_px": SIZE_PX[1],
                        "split": "train",
                        "origin": "synthetic",
                        "label": source.split("/")[0],
                        "size_bytes": path.stat().st_size,
                        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                        "recipe": f"{len(rows):032d}",
                        "source_image_id": source,
                        "strength": strength,
                        "fit": "cover",
                    }
                )
    return ImageSet(pd.DataFrame(rows).sample(frac=1, random_state=0).reset_index(drop=True))


def embedded(pictures: list[Image.Image], tiny_clip: Path) -> np.ndarray:
    return ClipScorer(str(tiny_clip), None, "cpu").embed_images(pictures, 1, "test")


def test_measures_agree_with_those_taken_one_by_one(made, real, tiny_clip):
    table = measure_images(made, real, judging_options(clip_model=str(tiny_clip))).set_index("image_id")
    sources = real.where(split="train").index["image_id"].tolist()
    assert set(table.index) == {*made.index["image_id"], *sources}
    seen = {source: fit_image(real.read(source), SIZE_PX, "cover").image for source in sources}
    sentences = ClipScorer(str(tiny_clip), None, "cpu").embed_classes(["cat", "dog"], ["a photo of a {class_name}"])
    for image_id, row in table[table["origin"] == "synthetic"].iterrows():
        picture, source = made.read(image_id), seen[row["source_image_id"]]
        vectors = embedded([picture, source], tiny_clip)
        assert row["clip_similarity"] == pytest.approx(1 - cosine(*vectors.astype(float)), abs=1e-5)
        assert row["zero_shot_class"] == ["cat", "dog"][cdist(vectors[:1], sentences, "cosine").argmin()]
        assert row["agrees"] == (row["zero_shot_class"] == row["label"])
        assert row["source_distance"] == thumbnail_distance(picture, source)


def test_diversity_is_the_mean_distance_of_pairs(made, real, tiny_clip):
    table = measure_images(made, real, judging_options(clip_model=str(tiny_clip)))
    for (_, _), group in table.groupby(["source_image_id", "strength"]):
        vectors = embedded([made.read(image_id) for image_id in group["image_id"]], tiny_clip)
        assert group["sibling_distance"].mean() == pytest.approx(pdist(vectors, "cosine").mean(), abs=1e-5)
    for _, group in table[table["origin"] == "real"].groupby("label"):
        pictures = [fit_image(real.read(image_id), SIZE_PX, "cover").image for image_id in group["image_id"]]
        between = pdist(embedded(pictures, tiny_clip), "cosine").mean()
        assert group["sibling_distance"].mean() == pytest.approx(between, abs=1e-5)


def test_a_copy_is_a_copy_by_every_measure(made, real, tiny_clip):
    table = measure_images(made, real, judging_options(clip_model=str(tiny_clip)))
    copies = table[table["image_id"].str.contains("/0/0.1")]
    others = table[table["image_id"].str.contains("/1/0.9")]
    assert len(copies) == len(others) == 4
    np.testing.assert_allclose(copies["ssim"], 1, atol=1e-5)
    np.testing.assert_allclose(copies["clip_similarity"], 1, atol=1e-5)
    assert (copies["source_distance"] == 0).all()
    assert (others["ssim"] < 0.6).all()
    assert (others["source_distance"] > 0.05).all()


def test_sources_are_seen_as_the_generator_saw_them(made, real):
    seen = SeenSources.of(made, real)
    assert len(seen) == 4
    for image_id, picture in zip(seen.image_ids, seen, strict=True):
        expected = fit_image(real.read(image_id), SIZE_PX, "cover").image
        assert picture.tobytes() == seen.read(image_id).tobytes() == expected.tobytes()


def test_sibling_distances_of_larger_groups():
    vectors = np.random.default_rng(0).normal(size=(12, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = pd.Series(list("aabbbbcccccd"))
    distances = sibling_distances(vectors, groups)
    for group in "abc":
        rows = (groups == group).to_numpy()
        assert distances[rows].mean() == pytest.approx(pdist(vectors[rows], "cosine").mean())
    assert np.isnan(distances[-1])


def test_thumbnails_differ_by_the_root_of_the_mean_square():
    first, second = Image.new("RGB", (32, 32), (50, 50, 50)), Image.new("RGB", (64, 64), (60, 60, 60))
    second.paste((50, 50, 50), (0, 0, 64, 32))
    assert thumbnail_distance(first, second) == pytest.approx(10 / 255 / np.sqrt(2))
