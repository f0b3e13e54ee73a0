"""The pretraining pipeline in miniature, on a made-up Fashion-MNIST: its folders load by name and can be shipped."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, AutoPipelineForText2Image
from long_runs import FINISHED_RUN as RUN
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.detection.yolo import build_yolo, start_from
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.formats.coco import list_coco
from diffaug_pipeline.formats.parquet import list_parquet

pytestmark = pytest.mark.slow


def model(data_root: Path, name: str) -> Path:
    return data_root / "07_models" / "pretraining" / name / RUN / name


def report(data_root: Path, name: str) -> dict:
    return json.loads((data_root / "08_reporting" / "pretraining" / name / RUN / name).read_text())


def test_models_load_by_name(pretraining_run):
    assert AutoencoderKL.from_pretrained(model(pretraining_run, "autoencoder")).config.latent_channels == 4
    for clip in ("clip", "scene_clip"):
        CLIPModel.from_pretrained(model(pretraining_run, clip))
        CLIPProcessor.from_pretrained(model(pretraining_run, clip))
    detector = build_yolo("yolo11n", ["object"])
    assert start_from(detector, str(model(pretraining_run, "detector"))) == len(detector.state_dict())
    for name in ("autoencoder", "clip", "generator", "scene_clip", "detector", "embedded"):
        assert not (model(pretraining_run, name) / "training_state.safetensors").exists()


def test_the_packed_generator_draws(pretraining_run):
    packed = AutoPipelineForText2Image.from_pretrained(
        model(pretraining_run, "embedded") / "generator", dtype=torch.float32
    )
    made = packed("a dark bag", num_inference_steps=2, guidance_scale=2.0).images[0]
    assert made.size == (32, 32)


def test_the_packed_scorers_read_the_same_sentences(pretraining_run):
    features = [
        ClipScorer(str(model(pretraining_run, "embedded") / name), None, "cpu").embed_classes(["bag"], ["{class_name}"])
        for name in ("clip", "scene_clip")
    ]
    assert (features[0] == features[1]).all()


def test_a_detector_for_other_classes_starts_from_the_packed_one(pretraining_run):
    detector = build_yolo("yolo11n", ["cat", "dog"])
    loaded = start_from(detector, str(model(pretraining_run, "embedded") / "detector"))
    assert len(detector.state_dict()) / 2 < loaded < len(detector.state_dict())


def test_the_packed_tasks_are_read_like_any_dataset(pretraining_run):
    embedded = model(pretraining_run, "embedded")
    assert len(list_parquet(embedded / "fashion_few_shot", 10).candidates) == 120
    scenes = list_coco(embedded / "fashion_scenes", 10)
    assert scenes.refused == {}
    splits = [candidate.split for candidate in scenes.candidates]
    assert {split: splits.count(split) for split in ("train", "val", "test")} == {"train": 4, "val": 2, "test": 2}


def test_cards_and_licences_are_packed_with_what_was_measured(pretraining_run):
    embedded, quality = model(pretraining_run, "embedded"), report(pretraining_run, "quality.json")
    scene_quality = report(pretraining_run, "scene_quality.json")
    assert f"{quality['reconstruction_mse']:.4f}" in (embedded / "generator" / "README.md").read_text()
    card = (embedded / "scene_clip" / "README.md").read_text()
    assert f"on {scene_quality['scene_crops']} crops" in card
    assert f"{100 * scene_quality['scene_clip_accuracy']:.1f} %" in card
    card = (embedded / "detector" / "README.md").read_text()
    assert f"AP50-95\n{100 * scene_quality['detector_map_50_95']:.1f} %" in card
    assert "AGPL-3.0" in (embedded / "detector" / "NOTICE").read_text()
    assert "Zalando SE" in (embedded / "FASHION_MNIST_LICENSE").read_text()
