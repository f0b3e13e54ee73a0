"""Against transformers' own pipeline and post-processing, with the real classes at tiny size."""

import numpy as np
import pytest
import torch
from factories import noise_image, smooth_image
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor, CLIPModel, pipeline

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.boxes import ious
from diffaug_pipeline.labelling.open_vocabulary import OpenVocabularyDetector

NAMES = ["ankle boot", "Bag", "coat"]
PICTURES = [noise_image(1, (40, 60)), smooth_image("two", (64, 32)), noise_image(3, (32, 32))]
ALL, NEVER = 1e-9, 1.0
"""Confidence and overlap of what random weights find."""


@pytest.fixture
def owl(tiny_owl):
    return OpenVocabularyDetector(str(tiny_owl), None, NAMES, "cpu")


@pytest.fixture
def grounding_dino(tiny_grounding_dino):
    return OpenVocabularyDetector(str(tiny_grounding_dino), None, NAMES, "cpu")


def test_owl_finds_what_transformers_pipeline_finds(tiny_owl, owl):
    theirs = pipeline("zero-shot-object-detection", model=str(tiny_owl), device="cpu")
    sentences = {"a photo of an ankle boot": "ankle boot", "a photo of a Bag": "Bag", "a photo of a coat": "coat"}
    for picture, boxes in zip(PICTURES, owl.detect(PICTURES, ALL, NEVER), strict=True):
        found = theirs(picture, candidate_labels=list(sentences), threshold=ALL)
        places = np.array([list(one["box"].values()) for one in found]).clip(0, [*picture.size, *picture.size])
        assert len(boxes) > 3
        for label, xyxy in zip(boxes.labels, boxes.xyxy, strict=True):
            here = np.flatnonzero(np.abs(places - xyxy).max(1) <= 1)  # the pipeline cuts off decimals
            scores = {sentences[found[number]["label"]]: found[number]["score"] for number in here}
            assert scores[label] == pytest.approx(max(scores.values()), abs=1e-4)


def test_grounding_dino_finds_what_transformers_post_processing_finds(tiny_grounding_dino, grounding_dino):
    model = AutoModelForZeroShotObjectDetection.from_pretrained(tiny_grounding_dino).eval()
    processor = AutoProcessor.from_pretrained(tiny_grounding_dino)
    picture = PICTURES[0]
    inputs = processor(images=picture, text=[[name.lower() for name in NAMES]], return_tensors="pt")
    with torch.inference_mode():
        outputs = model(**inputs)
    found = processor.post_process_grounded_object_detection(outputs, threshold=ALL, target_sizes=[(60, 40)])[0]
    expected = found["boxes"].numpy().clip(0, [40, 60, 40, 60])
    boxes = grounding_dino.detect([picture], ALL, NEVER)[0]
    assert len(boxes) == sum((expected[:, 2:] - expected[:, :2] >= 2).all(1)) > 3
    for xyxy in boxes.xyxy:
        assert np.abs(expected - xyxy).max(1).min() < 1e-3
    words = inputs["input_ids"][0].tolist()
    scores = outputs.logits[0].sigmoid()
    to_ids = processor.tokenizer.convert_tokens_to_ids
    spans = [[words.index(to_ids(word)) for word in name.lower().split()] for name in NAMES]
    by_class = torch.stack([scores[:, span].amax(-1) for span in spans], -1)
    for label, xyxy in zip(boxes.labels, boxes.xyxy, strict=True):
        query = np.abs(expected - xyxy).max(1).argmin()
        assert label == NAMES[int(by_class[query].argmax())]


@pytest.mark.parametrize("kind", ["owl", "grounding_dino"])
def test_boxes_lie_in_their_pictures_and_follow_the_thresholds(request, kind):
    detector = request.getfixturevalue(kind)
    for picture, boxes, sparse in zip(
        PICTURES, detector.detect(PICTURES, ALL, NEVER), detector.detect(PICTURES, ALL, 0.3), strict=True
    ):
        assert set(boxes.labels) <= set(NAMES)
        assert not boxes.ignored.any()
        assert boxes.xyxy.min() >= 0
        assert (boxes.xyxy[:, 2:] <= picture.size).all()
        assert (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2] >= 2).all()
        assert 0 < len(sparse) <= len(boxes)
        for label in set(sparse.labels):
            overlaps = ious(*[sparse.where(sparse.labels == label).xyxy] * 2)
            assert (overlaps - np.eye(len(overlaps))).max() <= 0.3
    assert [len(boxes) for boxes in detector.detect(PICTURES, 1.0, NEVER)] == [0, 0, 0]


@pytest.mark.parametrize("kind", ["owl", "grounding_dino"])
def test_a_picture_alone_gives_what_it_gives_beside_others_of_its_size(request, kind):
    detector = request.getfixturevalue(kind)
    pictures = [noise_image(seed, (48, 48)) for seed in range(3)]
    for picture, boxes in zip(pictures, detector.detect(pictures, ALL, 0.5), strict=True):
        alone = detector.detect([picture], ALL, 0.5)[0]
        assert alone.labels.tolist() == boxes.labels.tolist()
        np.testing.assert_allclose(alone.xyxy, boxes.xyxy, atol=1e-3)


def test_each_class_reads_its_own_words(grounding_dino):
    assert grounding_dino._question == "ankle boot. bag. coat."
    assert grounding_dino._spans == [[1, 2], [4], [6]]


def test_more_names_than_grounding_dino_reads_are_refused(tiny_grounding_dino):
    with pytest.raises(ParameterError, match="the 20 class names take 42 tokens, Grounding DINO reads 32"):
        OpenVocabularyDetector(str(tiny_grounding_dino), None, ["bag"] * 20, "cpu")


def test_a_model_that_cannot_be_asked_is_refused():
    assert CLIPModel.config_class.model_type == "clip"
    assert embedded_folder("embedded:clip").is_dir()
    with pytest.raises(ParameterError, match="embedded:clip is of type clip; owlv2, grounding-dino"):
        OpenVocabularyDetector("embedded:clip", None, NAMES, "cpu")
