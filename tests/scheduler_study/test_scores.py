import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torchmetrics.image.kid import poly_mmd
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.scheduler_study.scores import REAL, distances_to_long_run, reference_images, score_images


def read(images: ImageSet, cell: str, draw: str) -> Image.Image:
    index = images.index
    (path,) = index.loc[(index["cell"] == cell) & (index["draw"] == draw), "path"]
    return Image.open(path).convert("RGB")


def score(study, cell: str, draw: str) -> pd.Series:
    return study.scores.set_index(["cell", "draw"]).loc[cell, draw]


def test_scores_are_those_of_the_model_itself(study, tiny_clip):
    model, processor = CLIPModel.from_pretrained(tiny_clip).eval(), CLIPProcessor.from_pretrained(tiny_clip)
    prompt = study.plan.loc[study.plan["draw"] == "dog/0001", "prompt"].iloc[0]
    pictures = [read(study.images, cell, "dog/0001") for cell in ("pndm, 4 steps", "long run")]
    given = processor(text=[prompt, "a cat", "a dog"], images=pictures, return_tensors="pt", padding=True)
    with torch.inference_mode():
        made = model(**given)
    picture, long_run = made.image_embeds
    asked, cat, dog = (float(picture @ text) for text in made.text_embeds)
    row = score(study, "pndm, 4 steps", "dog/0001")
    assert row["clip_score"] == pytest.approx(2.5 * max(asked, 0), abs=1e-4)
    assert row["agrees"] == float(dog > cat)
    assert row["similarity"] == pytest.approx(float(picture @ long_run), abs=1e-5)


def test_distance_is_measured_to_the_long_run_of_the_same_draw(study):
    picture, long_run = (
        np.asarray(read(study.images, cell, "cat/0002"), float) / 255 for cell in ("heun, 2 steps", "long run")
    )
    assert score(study, "heun, 2 steps", "cat/0002")["distance"] == pytest.approx(
        np.linalg.norm(picture - long_run) / np.sqrt(picture.size)
    )
    own = study.scores[study.scores["cell"] == "long run"]
    assert (own["distance"] == 0).all()
    assert np.allclose(own["similarity"], 1)


def test_with_more_steps_a_deterministic_sampler_comes_nearer_and_with_noise_it_does_not(study):
    distance = study.scores.groupby("cell")["distance"].mean()
    assert distance["ddim, eta 0, 4 steps"] < distance["ddim, eta 0, 2 steps"]
    assert distance["ddim, eta 0, 4 steps"] < distance["ddim, eta 1, 4 steps"]


def test_extra_prompts_have_no_class_and_are_compared_with_no_real_pictures(study):
    extra = study.scores[study.scores["is_extra"]]
    assert len(extra) == 3 * study.plan["cell"].nunique()
    assert extra["agrees"].isna().all()
    assert extra["clip_score"].notna().all()
    assert set(study.scores.loc[~study.scores["is_extra"], "agrees"]) <= {0.0, 1.0}


def test_the_kernel_distance_is_that_of_torchmetrics_without_extra_prompts(study, tiny_clip):
    six = study.options.model_copy(update={"max_real_images": 6})
    _, kernel_distances = score_images(study.images, study.real_images, six, study.judging, seed=0)
    scorer = ClipScorer(str(tiny_clip), None, "cpu")
    draws = [f"{label}/{number:04d}" for label in ("cat", "dog") for number in range(3)]
    generated, real = (
        torch.from_numpy(scorer.embed_images(pictures, 6, "")).double()
        for pictures in (
            [read(study.images, "pndm, 4 steps", draw) for draw in draws],
            reference_images(study.real_images, 6, seed=0),
        )
    )
    expected = poly_mmd(real, generated, gamma=1.0).item()
    assert kernel_distances.set_index("cell").loc["pndm, 4 steps", "kid"] == pytest.approx(expected, abs=1e-5)


def test_test_images_are_not_looked_at(study):
    reference = reference_images(study.real_images, 1_000, seed=0)
    assert reference.index["split"].value_counts().to_dict() == {"train": 8, "val": 4}


def test_real_images_are_a_row_of_their_own(study):
    floor = study.kernel_distances.set_index("cell").loc[REAL]
    assert len(floor["over_halves"]) == study.options.halves
    assert floor["kid"] == pytest.approx(np.mean(floor["over_halves"]))
    assert len(study.kernel_distances) == study.plan["cell"].nunique() + 1


def test_a_smaller_reference_is_drawn_from_the_larger_one(study):
    smaller, larger = (set(reference_images(study.real_images, most, 0).index["image_id"]) for most in (4, 9))
    assert len(smaller) == 4
    assert smaller < larger


def test_a_scorer_that_knows_only_its_classes_has_nothing_to_say_about_others(study):
    judging = ScorerOptions(
        clip_model="embedded:clip", clip_revision=None, templates=["a {class_name}"], batch_size=64, device="cpu"
    )
    scores, kernel_distances = score_images(study.images, study.real_images, study.options, judging, seed=0)
    assert scores[["clip_score", "agrees"]].isna().all(axis=None)
    assert kernel_distances["kid"].notna().all()


def test_the_order_of_the_index_does_not_matter(study):
    shuffled = ImageSet(study.images.index.sample(frac=1, random_state=0).reset_index(drop=True))
    expected = study.scores.set_index("image_id")["distance"]
    assert np.array_equal(distances_to_long_run(shuffled), expected[shuffled.index["image_id"]])
    scores, kernel_distances = score_images(shuffled, study.real_images, study.options, study.judging, seed=0)
    ours, theirs = (table.set_index("cell")["kid"] for table in (kernel_distances, study.kernel_distances))
    pd.testing.assert_series_equal(ours.sort_index(), theirs.sort_index(), rtol=1e-5)
    assert scores["similarity"].notna().all()
