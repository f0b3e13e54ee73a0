"""Pictures per second from files to class probabilities, against the loop people write with transformers.

Same embedded CLIP, same 2,000 PNG files, same threads. The usual loop is that of transformers' documentation: one
picture at a time, the class sentences beside it. The lean loop embeds the sentences once. Ours makes a whole set of
features, thumbnails and storage included, and reads the probabilities off it; once that is there, as it is for a second
filter or report, it only looks them up.
"""

import argparse
import hashlib
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image
from table import in_turn, print_table, ratio
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.known_classes import classes_taught
from diffaug_pipeline.synthesis.models import model_source

IMAGES, BATCH_SIZE, ROUNDS = 2_000, 64, 3
MODEL, TEMPLATE = "embedded:clip", "a photo of a {class_name}"
CLASS_NAMES = sorted(classes_taught(MODEL))
SAME_COSINE = 1e-5
"""The pictures have the size of the model, so that both ways prepare them alike."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    scratch = Path(tempfile.mkdtemp(prefix="bench-scoring-"))
    images = draw_images(scratch / "images", IMAGES)
    scored = {}
    seconds = in_turn(
        {
            "usual": lambda: scored.update(usual=score_in_a_loop(images, sentences_once=False)),
            "lean": lambda: scored.update(lean=score_in_a_loop(images, sentences_once=True)),
            "ours": lambda: scored.update(ours=score_our_way(images, scratch / "features")),
            "again": lambda: scored.update(again=look_up(images, scratch / "features")),
        },
        rounds,
    )
    difference = max(np.abs(scored["lean"] - scored[name]).max() for name in ("usual", "ours", "again"))
    assert difference < SAME_COSINE, f"the ways disagree: cosines differ by up to {difference}"
    print_table(
        f"scoring {IMAGES:,} PNG files of 32x32 px with {MODEL}, {torch.get_num_threads()} threads",
        [
            (title, f"{IMAGES / statistics.median(seconds[name]):,.0f} images/s")
            for name, title in (
                ("usual", f"usual loop, picture by picture with {len(CLASS_NAMES)} sentences"),
                ("lean", "lean loop, sentences embedded once"),
                ("ours", f"this project, batches of {BATCH_SIZE}"),
                ("again", "this project, when features are there"),
            )
        ]
        + [
            ("usual loop / this project", ratio(seconds["usual"], seconds["ours"])),
            ("lean loop / this project", ratio(seconds["lean"], seconds["ours"])),
            ("largest difference between cosines", f"{difference:.1e}"),
        ],
    )
    shutil.rmtree(scratch)


def draw_images(folder: Path, count: int) -> ImageSet:
    """Soft blots of 32x32 pixels, each a file of its own."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        blots = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        path = folder / f"{number:04d}.png"
        blots.resize((32, 32), Image.Resampling.BICUBIC).save(path)
        content = path.read_bytes()
        rows.append((path.stem, str(path), len(content), hashlib.sha256(content).hexdigest()))
    index = pd.DataFrame(rows, columns=["image_id", "path", "size_bytes", "sha256"])
    label = [CLASS_NAMES[number % len(CLASS_NAMES)] for number in range(count)]
    known = {"width_px": 32, "height_px": 32, "split": "train", "origin": "real", "label": label, "recipe": None}
    return ImageSet(index.assign(**known))


@torch.inference_mode()
def score_in_a_loop(images: ImageSet, *, sentences_once: bool) -> np.ndarray:
    """(N, C) cosines; the loop goes on to probabilities."""
    model = CLIPModel.from_pretrained(model_source(MODEL), dtype=torch.float32).eval()
    processor = CLIPProcessor.from_pretrained(model_source(MODEL))
    sentences = [TEMPLATE.format(class_name=name) for name in CLASS_NAMES]
    tokens = processor(text=sentences, padding=True, return_tensors="pt")
    texts = F.normalize(model.get_text_features(**tokens).pooler_output, dim=-1)
    logits = []
    for path in images.index["path"]:
        picture = Image.open(path).convert("RGB")
        if sentences_once:
            inputs = processor(images=picture, return_tensors="pt")
            vector = F.normalize(model.get_image_features(**inputs).pooler_output, dim=-1)
            logits.append(model.logit_scale.exp() * vector @ texts.T)
        else:
            inputs = processor(text=sentences, images=picture, padding=True, return_tensors="pt")
            logits.append(model(**inputs).logits_per_image)
        logits[-1].softmax(-1)
    return (torch.cat(logits) / model.logit_scale.exp()).numpy()


def score_our_way(images: ImageSet, folder: Path) -> np.ndarray:
    """(N, C) cosines; probabilities are computed as well."""
    shutil.rmtree(folder, ignore_errors=True)
    scorer = {"model": MODEL, "revision": None, "templates": [TEMPLATE]}
    options = FeatureOptions(
        scorer=scorer, measure=None, batch_size=BATCH_SIZE, device="cpu", engine="local", workers=None
    )
    PlannedFeatures(images, images, options).make_in(folder, ())
    return look_up(images, folder)


def look_up(images: ImageSet, folder: Path) -> np.ndarray:
    """(N, C) cosines from the features in `folder`; probabilities are computed as well."""
    scorer = Features(folder).scorer
    vectors = scorer.vectors_of(images)
    scorer.probabilities(vectors)
    return scorer.cosines(vectors)


if __name__ == "__main__":
    main()
