"""Encoders against plain transformers, and models that cannot be used."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from factories import noise_image, smooth_image
from models import save_tiny_dino, save_tiny_siglip
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoProcessor,
    CLIPModel,
    CLIPProcessor,
    Dinov2Model,
    SiglipModel,
    ViTConfig,
    ViTForImageClassification,
)

from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.features.class_scores import class_probabilities, nearest_classes
from diffaug_pipeline.features.encoder import ClipScorer, ImageEncoder, has_text_tower, load_encoder
from diffaug_pipeline.imaging.preparation import fit_image

CLASSES, TEMPLATES = ["bag", "coat"], ["a photo of a {class_name}", "a dark {class_name}, worn"]


@pytest.fixture(scope="module")
def tiny_siglip(tmp_path_factory):
    return save_tiny_siglip(tmp_path_factory.mktemp("siglip"))


@pytest.fixture(scope="module")
def tiny_dino(tmp_path_factory):
    return save_tiny_dino(tmp_path_factory.mktemp("dino"))


def pictures(side: int) -> list[Image.Image]:
    return [noise_image(seed, (side, side)) for seed in range(5)]


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return F.normalize(vectors, dim=-1)


@torch.inference_mode()
def test_pictures_and_classes_of_clip_are_those_of_plain_transformers(tiny_clip):
    scorer = load_encoder(str(tiny_clip), None, "cpu")
    model, processor = CLIPModel.from_pretrained(tiny_clip), CLIPProcessor.from_pretrained(tiny_clip)
    sentences = [template.format(class_name=name) for name in CLASSES for template in TEMPLATES]
    inputs = processor(text=sentences, images=pictures(16), padding=True, return_tensors="pt")
    outputs = model(**inputs)
    vectors = scorer.embed_images(pictures(16), 2, "test")
    torch.testing.assert_close(torch.from_numpy(vectors), outputs.image_embeds)
    classes = unit(outputs.text_embeds.reshape(2, 2, -1).mean(1))
    of_classes = scorer.embed_classes(CLASSES, TEMPLATES)
    torch.testing.assert_close(torch.from_numpy(of_classes), classes)
    logits = model.logit_scale.exp() * outputs.image_embeds @ classes.T
    probabilities = class_probabilities(vectors, of_classes, scorer.logit_scale)
    np.testing.assert_allclose(probabilities, logits.softmax(1), atol=1e-5)
    assert nearest_classes(vectors, of_classes, CLASSES).tolist() == [CLASSES[best] for best in logits.argmax(1)]


@torch.inference_mode()
def test_siglip_reads_sentences_padded_on_the_right_to_its_full_length(tiny_siglip):
    scorer = load_encoder(str(tiny_siglip), None, "cpu")
    model, processor = SiglipModel.from_pretrained(tiny_siglip), AutoProcessor.from_pretrained(tiny_siglip)
    pixels = processor.image_processor(pictures(16), return_tensors="pt").pixel_values
    expected = unit(model.get_image_features(pixel_values=pixels).pooler_output)
    np.testing.assert_allclose(scorer.embed_images(pictures(16), 3, "test"), expected, atol=1e-6)
    words = processor.tokenizer("a photo of a bag").input_ids
    padded = words + [processor.tokenizer.pad_token_id] * (20 - len(words))
    expected = unit(model.get_text_features(input_ids=torch.tensor([padded])).pooler_output)
    np.testing.assert_allclose(scorer.embed_classes(["bag"], TEMPLATES[:1]), expected, atol=1e-6)


@torch.inference_mode()
def test_a_model_without_text_sees_pictures_at_the_size_its_processor_crops_to(tiny_dino):
    encoder = load_encoder(str(tiny_dino), None, "cpu")
    assert type(encoder) is ImageEncoder
    assert encoder.size_px == (14, 14)
    assert not has_text_tower(str(tiny_dino), None)
    model, processor = Dinov2Model.from_pretrained(tiny_dino), AutoImageProcessor.from_pretrained(tiny_dino)
    pixels = processor(pictures(14), do_resize=False, return_tensors="pt").pixel_values
    expected = unit(model(pixel_values=pixels).pooler_output)
    np.testing.assert_allclose(encoder.embed_images(pictures(14), 2, "test"), expected, atol=1e-6)


def test_pictures_of_any_shape_are_fitted_by_us(tiny_clip):
    scorer = ClipScorer(str(tiny_clip), None, "cpu")
    wide = smooth_image("wide", (50, 23))
    fitted = fit_image(wide, (16, 16), "cover").image
    np.testing.assert_array_equal(scorer.embed_images([wide], 1, "test"), scorer.embed_images([fitted], 1, "test"))


def test_weights_that_would_be_random_are_refused(tmp_path):
    config = ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=16)
    ViTForImageClassification(config).save_pretrained(tmp_path)
    with pytest.raises(ModelFolderError, match=r"holds no pooler\.dense\.bias, and random weights would see nothing"):
        load_encoder(str(tmp_path), None, "cpu")


def test_a_model_without_text_is_no_scorer(tiny_dino):
    with pytest.raises(ModelFolderError, match="cannot be loaded"):
        ClipScorer(str(tiny_dino), None, "cpu")
