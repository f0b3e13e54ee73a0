"""What ships inside the package: small, safe, described, and honest about what it was trained on."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from diffusers import AutoPipelineForText2Image
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

import diffaug_pipeline

EMBEDDED = Path(diffaug_pipeline.__file__).parent / "embedded"
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


@pytest.mark.parametrize("name", ["generator", "clip", "fashion_few_shot"])
def test_each_part_has_a_card_that_names_licence_and_limits(name):
    card = (EMBEDDED / name / "README.md").read_text()
    assert "license: mit" in card
    assert "Fashion-MNIST" in card
    assert "Zalando SE" in (EMBEDDED / "FASHION_MNIST_LICENSE").read_text()


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
