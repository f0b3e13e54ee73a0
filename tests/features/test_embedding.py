"""Which pictures the models are shown, what they say of them, and what is never asked twice."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from factories import annotated_image_set, real_image_set
from features.feature_cases import TEMPLATES, feature_options, make_features
from models import save_tiny_dino
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.errors import ParameterError, VersionError
from diffaug_pipeline.features import embedder, embedding
from diffaug_pipeline.features.crops import Crops, list_boxes
from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.features.encoder import ClipScorer, ImageEncoder, load_encoder
from diffaug_pipeline.features.keyed_array import KeyedArray
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.imaging.thumbnails import thumbnail


@pytest.fixture(scope="module")
def tiny_dino(tmp_path_factory):
    return save_tiny_dino(tmp_path_factory.mktemp("dino"))


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 3, "val": 1, "test": 2})


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory) -> ImageSet:
    """Ten pictures in two classes, the last one of which is a copy of the first, under another name."""
    images = real_image_set(tmp_path_factory.mktemp("synthetic"), {"test": 5}, ("dog", "hen"))
    index = images.index.assign(image_id="synthetic:" + images.index["image_id"], origin="synthetic", split="train")
    index.loc[9, ["path", "sha256", "size_bytes"]] = index.loc[0, ["path", "sha256", "size_bytes"]]
    return ImageSet(index)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> ImageSet:
    return annotated_image_set(tmp_path_factory.mktemp("scenes"))


class Watch:
    """Counts the models that are loaded and the pictures they are shown; fails at one of them if told to."""

    def __init__(self, monkeypatch):
        self.loaded: list[str] = []
        self.shown: Counter[str] = Counter()
        self.sentences = 0
        self.fail_at = np.inf
        embed, embed_classes = ImageEncoder.embed, ClipScorer.embed_classes

        def load(model: str, revision: str | None, device: str) -> ImageEncoder:
            encoder = load_encoder(model, revision, device)
            encoder.watched_as = model
            self.loaded.append(model)
            return encoder

        def watched_embed(encoder: ImageEncoder, pictures: list) -> np.ndarray:
            if hasattr(encoder, "watched_as"):
                self.shown[encoder.watched_as] += len(pictures)
                if self.shown.total() > self.fail_at:
                    raise RuntimeError("power cut")
            return embed(encoder, pictures)

        def watched_classes(encoder: ClipScorer, class_names: list, templates: list) -> np.ndarray:
            self.sentences += len(class_names) * len(templates)
            return embed_classes(encoder, class_names, templates)

        monkeypatch.setattr(embedder, "load_encoder", load)
        monkeypatch.setattr(ImageEncoder, "embed", watched_embed)
        monkeypatch.setattr(ClipScorer, "embed_classes", watched_classes)


@pytest.fixture
def watch(monkeypatch) -> Watch:
    return Watch(monkeypatch)


def plain_clip(folder, pictures: list) -> np.ndarray:
    """(N, D) what transformers says about the fitted pictures."""
    model, processor = CLIPModel.from_pretrained(folder), CLIPProcessor.from_pretrained(folder)
    fitted = [fit_image(picture, (16, 16), "cover").image for picture in pictures]
    inputs = processor(text=["x"], images=fitted, return_tensors="pt")
    return model(**inputs).image_embeds.detach().numpy()


def test_vectors_and_thumbnails_of_whole_pictures_in_the_order_asked_for(
    tmp_path, tiny_clip, tiny_dino, real, synthetic
):
    features = make_features(tmp_path / "f", real, synthetic, feature_options(tiny_clip, tiny_dino))
    some = ImageSet(real.index.iloc[::-2].reset_index(drop=True))
    for images in (some, synthetic):
        vectors = features.scorer.vectors_of(images)
        np.testing.assert_allclose(vectors, plain_clip(tiny_clip, list(images)), atol=1e-6)
        dino = load_encoder(str(tiny_dino), None, "cpu").embed_images(images, 3, "test")
        np.testing.assert_allclose(features.measure.vectors_of(images), dino, atol=1e-6)
        expected = np.stack([thumbnail(image) for image in images])
        np.testing.assert_array_equal(features.thumbnails(images), expected)


def test_the_spaces_say_which_models_they_are_and_know_the_classes(tmp_path, tiny_clip, tiny_dino, real, synthetic):
    features = make_features(tmp_path / "f", real, synthetic, feature_options(tiny_clip, tiny_dino))
    scorer, measure = features.scorer, features.measure
    assert (scorer.name, scorer.model, measure.name, measure.model) == (
        *("scorer", str(tiny_clip)),
        *("measure", str(tiny_dino)),
    )
    assert len({scorer.model_revision, measure.model_revision}) == 2
    assert scorer.class_names == ["cat", "dog"]
    clip = ClipScorer(str(tiny_clip), None, "cpu")
    np.testing.assert_allclose(scorer.class_vectors, clip.embed_classes(["cat", "dog"], TEMPLATES), atol=1e-6)
    vectors = scorer.vectors_of(real)
    cosines = scorer.cosines(vectors)
    assert cosines.shape == (len(real), 2)
    odds = np.exp(clip.logit_scale * (cosines[:, 0] - cosines[:, 1]))
    np.testing.assert_allclose(scorer.probabilities(vectors)[:, 0], odds / (1 + odds), rtol=1e-4)
    assert measure.class_names == []
    assert measure.class_vectors.shape == (0, 16)
    with pytest.raises(ParameterError, match="has no text tower and cannot be asked about classes"):
        measure.probabilities(measure.vectors_of(real))


def test_boxes_are_embedded_as_crops_and_whole_scenes_only_as_thumbnails(tmp_path, tiny_clip, scenes):
    moved = [[box | {"xyxy": [x + 1 for x in box["xyxy"]]} for box in boxes] for boxes in scenes.index["boxes"]]
    composites = ImageSet(scenes.index.assign(image_id="synthetic:" + scenes.index["image_id"], boxes=moved))
    features = make_features(tmp_path / "f", scenes, composites, feature_options(tiny_clip, crop_context=0.1))
    for images in (scenes, composites):
        table = list_boxes(images).iloc[::-1]
        crops = [next(iter(Crops(images, table.iloc[[row]], 0.1))) for row in range(len(table))]
        vectors = features.scorer.vectors_of_boxes(images, table)
        np.testing.assert_allclose(vectors, plain_clip(tiny_clip, crops), atol=1e-6)
        assert features.thumbnails(images).shape == (len(images), 64, 64)
    with pytest.raises(VersionError, match=r"5 images have no vectors of .* among the features, e\.g\. scene 0"):
        features.scorer.vectors_of(scenes)
    everything = [[box | {"xyxy": [0.0, 0.0, 9.0, 9.0]} for box in boxes] for boxes in scenes.index["boxes"]]
    other = ImageSet(scenes.index.assign(boxes=everything))
    with pytest.raises(VersionError, match=r"4 images have no vectors of .* for their boxes"):
        features.scorer.vectors_of_boxes(other, list_boxes(other))


def test_a_picture_that_was_not_embedded_is_named(tmp_path, tiny_clip, real, synthetic):
    features = make_features(tmp_path / "f", real, real, feature_options(tiny_clip))
    for ask in (features.scorer.vectors_of, features.thumbnails):
        with pytest.raises(VersionError, match=r"\d+ images have no .* among the features, e\.g\. synthetic:"):
            ask(synthetic)


def test_equal_content_is_opened_and_embedded_once(tmp_path, tiny_clip, tiny_dino, real, synthetic, watch):
    contents = len(set(real.index["sha256"]) | set(synthetic.index["sha256"]))
    assert contents < len(real) + len(synthetic)
    options = feature_options(tiny_clip, tiny_dino)
    done = PlannedFeatures(real, synthetic, options).make_in(tmp_path / "f", ())
    assert done["images_read"] == contents
    assert watch.shown == {str(tiny_clip): contents, str(tiny_dino): contents}


@pytest.mark.parametrize("named_twice", [True, False])
def test_one_model_for_both_is_asked_once(tmp_path, tiny_clip, real, synthetic, watch, named_twice):
    options = feature_options(tiny_clip, tiny_clip if named_twice else None)
    features = make_features(tmp_path / "f", real, synthetic, options)
    assert watch.loaded == [str(tiny_clip)]
    assert features.measure is features.scorer


def test_what_an_earlier_set_knows_is_copied_without_loading_a_model(
    tmp_path, tiny_clip, tiny_dino, real, synthetic, watch
):
    earlier = tmp_path / "earlier"
    first = make_features(earlier, real, synthetic, feature_options(tiny_clip, tiny_dino))
    loaded, sentences = len(watch.loaded), watch.sentences
    fewer = ImageSet(synthetic.index.iloc[3:].reset_index(drop=True))
    again = make_features(tmp_path / "again", real, fewer, feature_options(tiny_clip, tiny_dino), (earlier,))
    assert len(watch.loaded) == loaded
    assert watch.sentences == sentences
    for space in ("scorer", "measure"):
        ours, theirs = getattr(again, space), getattr(first, space)
        np.testing.assert_array_equal(ours.vectors_of(fewer), theirs.vectors_of(fewer))
        np.testing.assert_array_equal(ours.class_vectors, theirs.class_vectors)


def test_only_new_pictures_and_new_questions_are_put_to_a_model(tmp_path, tiny_clip, real, synthetic, watch):
    earlier, options = tmp_path / "earlier", feature_options(tiny_clip)
    few = ImageSet(synthetic.index.iloc[:4].reset_index(drop=True))
    make_features(earlier, real, few, options)
    watch.shown.clear()
    make_features(tmp_path / "more", real, synthetic, options, (earlier,))
    unknown = set(synthetic.index["sha256"]) - set(few.index["sha256"]) - set(real.index["sha256"])
    assert watch.shown == {str(tiny_clip): len(unknown)}
    watch.shown.clear()
    asked = watch.sentences
    reworded = options.scorer.model_copy(update={"templates": ["my {class_name}"]})
    make_features(tmp_path / "asked", real, few, options.model_copy(update={"scorer": reworded}), (earlier,))
    assert watch.shown == {}
    assert watch.sentences - asked == 2


def test_another_model_knows_nothing_of_what_the_first_one_saw(tmp_path, tiny_clip, tiny_dino, real, synthetic, watch):
    make_features(tmp_path / "earlier", real, synthetic, feature_options(tiny_clip))
    watch.shown.clear()
    options = feature_options(tiny_clip, tiny_dino)
    make_features(tmp_path / "again", real, synthetic, options, (tmp_path / "earlier",))
    assert set(watch.shown) == {str(tiny_dino)}


def test_after_a_crash_the_rest_is_made_and_nothing_twice(tmp_path, tiny_clip, tiny_dino, real, synthetic, watch):
    options = feature_options(tiny_clip, tiny_dino)
    whole = make_features(tmp_path / "whole", real, synthetic, options)
    contents = watch.shown[str(tiny_clip)]
    watch.shown.clear()
    watch.fail_at = 14  # in the second block, between the two models
    with pytest.raises(RuntimeError, match="power cut"):
        make_features(tmp_path / "f", real, synthetic, options)
    assert not (tmp_path / "f" / "features.json").exists()
    before = Counter({str(tiny_clip): 8, str(tiny_dino): 4})
    watch.shown.clear()
    watch.fail_at = np.inf
    resumed = make_features(tmp_path / "f", real, synthetic, options)
    assert watch.shown + before == {str(tiny_clip): contents, str(tiny_dino): contents}
    for images in (real, synthetic):
        np.testing.assert_array_equal(resumed.scorer.vectors_of(images), whole.scorer.vectors_of(images))
        np.testing.assert_array_equal(resumed.measure.vectors_of(images), whole.measure.vectors_of(images))
        np.testing.assert_array_equal(resumed.thumbnails(images), whole.thumbnails(images))


def test_a_process_that_is_killed_loses_no_more_than_the_last_seconds(tmp_path, tiny_clip, real, monkeypatch):
    monkeypatch.setattr(embedding, "SECONDS_BETWEEN_COMMITS", 0)
    on_disk = []
    embed = ImageEncoder.embed

    def watched(encoder, pictures) -> np.ndarray:
        if (tmp_path / "f" / "scorer").exists():
            on_disk.append(len(KeyedArray(tmp_path / "f" / "scorer").missing()))
        return embed(encoder, pictures)

    monkeypatch.setattr(ImageEncoder, "embed", watched)
    make_features(tmp_path / "f", real, real, feature_options(tiny_clip))
    assert on_disk == [12, 8, 4]


def test_reading_ahead_in_threads_changes_nothing(tmp_path, tiny_clip, scenes, monkeypatch):
    options = feature_options(tiny_clip, crop_context=0.0)
    in_turn = make_features(tmp_path / "turn", scenes, scenes, options)
    monkeypatch.setattr(embedder.Embedder, "readers", 4)
    ahead = make_features(tmp_path / "ahead", scenes, scenes, options)
    table = list_boxes(scenes)
    expected = in_turn.scorer.vectors_of_boxes(scenes, table)
    np.testing.assert_array_equal(ahead.scorer.vectors_of_boxes(scenes, table), expected)
    np.testing.assert_array_equal(ahead.thumbnails(scenes), in_turn.thumbnails(scenes))


def test_a_scorer_without_text_is_refused_before_anything_is_made(tiny_dino, real, synthetic):
    with pytest.raises(ParameterError, match=r"features\.scorer is .* As features\.measure it will do"):
        PlannedFeatures(real, synthetic, feature_options(tiny_dino))


def test_a_set_of_features_says_what_it_holds(tmp_path, tiny_clip, scenes):
    make_features(tmp_path / "f", scenes, scenes, feature_options(tiny_clip, crop_context=0.1))
    assert json.loads((tmp_path / "f" / "features.json").read_text()) == {"crop_context": 0.1, "measure": "scorer"}
    keys = pd.read_parquet(tmp_path / "f" / "scorer" / "keys.parquet")["key"]
    assert len(keys) == len(list_boxes(scenes)) == keys.nunique()
