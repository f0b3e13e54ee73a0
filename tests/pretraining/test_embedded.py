"""What ships inside the package: small, safe, described, and honest about what it was trained on."""

import hashlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from diffusers import AutoPipelineForText2Image
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

import diffaug_pipeline
from diffaug_pipeline.average_precision import map_on
from diffaug_pipeline.detection.yolo import build_yolo, detect, start_from
from diffaug_pipeline.features.crops import Crops, list_boxes
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.formats.coco import list_coco
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet

EMBEDDED = Path(diffaug_pipeline.__file__).parent / "embedded"
PROJECT = Path(__file__).parents[2]
TASK = EMBEDDED / "fashion_few_shot"


def task_hashes(split: str) -> list[int]:
    """blake2b of the 28x28 pixels of each picture, as the pool's were hashed before padding."""
    (file,) = TASK.glob(f"{split}-*.parquet")
    hashes = []
    for cell in pq.read_table(file).column("image").to_pylist():
        pixels = np.asarray(Image.open(io.BytesIO(cell["bytes"])))
        assert pixels.shape == (32, 32)
        inner = np.ascontiguousarray(pixels[2:-2, 2:-2])
        hashes.append(int(hashlib.blake2b(inner.tobytes(), digest_size=8).hexdigest(), 16))
    return hashes


def test_pool_and_splits_share_no_picture():
    pool = np.load(TASK / "pool_content_hashes.npy")
    assert pool.dtype == np.uint64
    assert len(pool) > 50_000
    parts = {"pool": set(pool.tolist())} | {split: set(task_hashes(split)) for split in ("train", "validation", "test")}
    assert [len(parts[split]) for split in ("train", "validation", "test")] == [200, 500, 2_000]
    names = sorted(parts)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            assert parts[first].isdisjoint(parts[second]), (first, second)


def test_all_weights_are_half_precision_safetensors_under_30_mb():
    weights = list(EMBEDDED.rglob("*.safetensors"))
    assert sum(path.stat().st_size for path in weights) < 30e6
    assert not list(EMBEDDED.rglob("*.bin")) + list(EMBEDDED.rglob("*.pt")) + list(EMBEDDED.rglob("*.pkl"))
    for path in weights:
        content = path.read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        dtypes = {entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
        assert dtypes <= {"F16", "I64"}, path


PARTS = {
    "generator": "mit",
    "clip": "mit",
    "scene_clip": "mit",
    "detector": "agpl-3.0",
    "fashion_few_shot": "mit",
    "fashion_scenes": "mit",
}


def test_every_part_is_known():
    assert {path.name for path in EMBEDDED.iterdir() if path.is_dir()} - {"__pycache__"} == PARTS.keys()


@pytest.mark.parametrize(("name", "licence"), PARTS.items())
def test_each_part_has_a_card_that_names_its_licence(name, licence):
    card = (EMBEDDED / name / "README.md").read_text()
    assert f"license: {licence}\n" in card
    assert "Fashion-MNIST" in card
    assert "Zalando SE" in (EMBEDDED / "FASHION_MNIST_LICENSE").read_text()


@pytest.mark.parametrize("name", sorted(PARTS.keys() - {"fashion_few_shot"}))
def test_cards_name_limits_and_the_parameters_they_were_made_with(name):
    """Parameters are read from the block of JSON in the card and compared with those that ship."""
    card = (EMBEDDED / name / "README.md").read_text()
    assert "**Limits.**" in card
    recipes = json.loads(re.search(r"```json\n(.*?)```", card, re.DOTALL).group(1))
    shipped = yaml.safe_load((PROJECT / "conf" / "base" / "parameters_pretraining.yml").read_text())["pretraining"]
    assert recipes == {recipe: shipped[recipe] for recipe in recipes}
    assert recipes


def test_the_detectors_licence_is_explained_beside_its_weights():
    notice = (EMBEDDED / "detector" / "NOTICE").read_text()
    for words in ("AGPL-3.0", "https://www.gnu.org/licenses/agpl-3.0.html", "rest of the package is MIT-licensed"):
        assert words in notice
    assert "`NOTICE`" in (EMBEDDED / "detector" / "README.md").read_text()


def test_the_generator_loads_like_any_hub_model_and_draws():
    pipeline = AutoPipelineForText2Image.from_pretrained(EMBEDDED / "generator", dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline("a photo of a bag", num_inference_steps=2, generator=torch.Generator().manual_seed(0)).images[0]
    assert made.size == (32, 32)


def test_the_scorer_recognises_most_real_test_pictures():
    model = CLIPModel.from_pretrained(EMBEDDED / "clip", dtype=torch.float32).eval()
    processor = CLIPProcessor.from_pretrained(EMBEDDED / "clip")
    taught = json.loads((EMBEDDED / "clip" / "trained_on.json").read_text())["classes"]
    table = pq.read_table(next(TASK.glob("test-*.parquet"))).slice(0, 2_000).to_pylist()[::10]
    pictures = [Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB") for row in table]
    sentences = [f"a photo of a {name}" for name in taught]
    inputs = processor(text=sentences, images=pictures, padding=True, return_tensors="pt")
    with torch.inference_mode():
        answers = model(**inputs).logits_per_image.argmax(1).tolist()
    assert np.mean([answer == row["label"] for answer, row in zip(answers, table, strict=True)]) > 0.8


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> ImageSet:
    """Forty validation scenes of the embedded detection task."""
    candidates = [entry for entry in list_coco(EMBEDDED / "fashion_scenes", 10).candidates if entry.split == "val"]
    rows = [
        {
            "image_id": entry.image_id,
            "path": entry.path,
            "width_px": 96,
            "height_px": 96,
            "split": "val",
            "origin": "real",
            "boxes": [
                {"label": box.label, "xyxy": box.xyxy, "ignored": box.ignored} for box in entry.annotations.boxes
            ],
            "size_bytes": Path(entry.path).stat().st_size,
            "sha256": hashlib.sha256(Path(entry.path).read_bytes()).hexdigest(),
            "recipe": None,
        }
        for entry in candidates[:40]
    ]
    return ImageSet(pd.DataFrame(rows))


def test_the_scene_scorer_recognises_most_real_crops_and_more_than_the_scorer_does(scenes):
    taught = json.loads((EMBEDDED / "scene_clip" / "trained_on.json").read_text())["classes"]
    assert taught == json.loads((EMBEDDED / "clip" / "trained_on.json").read_text())["classes"]
    table = list_boxes(scenes)
    assert len(table) > 100
    right = {}
    for name in ("clip", "scene_clip"):
        scorer = ClipScorer(f"embedded:{name}", None, "cpu")
        sentences = scorer.embed_classes(taught, ["a photo of a {class_name}"])
        answers = scorer.embed_images(Crops(scenes, table, 0.05), 64, "crops") @ sentences.T
        right[name] = np.mean(
            [taught[best] == label for best, label in zip(answers.argmax(1), table["label"], strict=True)]
        )
    assert right["scene_clip"] > 0.65
    assert right["scene_clip"] > right["clip"] + 0.2


def test_the_scene_scorer_reads_sentences_as_the_scorer_does():
    features = [
        ClipScorer(f"embedded:{name}", None, "cpu").embed_classes(["bag", "coat"], ["a photo of a {class_name}"])
        for name in ("clip", "scene_clip")
    ]
    np.testing.assert_allclose(*features, atol=1e-3)


def test_the_detector_finds_most_objects_of_scenes_it_never_saw(scenes):
    described = json.loads((EMBEDDED / "detector" / "config.json").read_text())
    model = build_yolo(described["architecture"], described["class_names"])
    assert start_from(model, "embedded:detector") == len(model.state_dict())
    pixels = torch.from_numpy(np.stack([np.asarray(image).transpose(2, 0, 1) for image in scenes]))
    found = [
        [{"label": "object", "xyxy": row[:4].tolist(), "confidence": float(row[4])} for row in rows]
        for rows in detect(model, pixels, confidence=0.001, iou=0.7)
    ]
    objects = [Boxes.of(box | {"label": "object"} for box in boxes) for boxes in scenes.index["boxes"]]
    assert map_on(found, objects, ["object"])["map_50"] > 0.85
