"""What the trained networks say about real test images.

Predictions have one row per seed and image: `seed`, `image_id`, `label`, `predicted`, `probabilities` (list, in the
order of the sorted class names).
"""

from itertools import islice

import numpy as np
import pandas as pd
from safetensors.torch import load_file

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.resnet import build_resnet
from diffaug_pipeline.classification.training import evaluation_batch, predict_logits
from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.synthesis.models import loading_errors
from diffaug_pipeline.training.pixels import as_pixels, decode
from diffaug_pipeline.training.seeds import CONFIG, WEIGHTS, seed_folders


def predict(checkpoint: Checkpoint, images: ImageSet, device: str) -> pd.DataFrame:
    """Predictions of every seed's network; each picture is decoded once."""
    config, chosen = checkpoint.read_json(CONFIG), choose_device(device)
    models = {}
    for seed, name in seed_folders(checkpoint).items():
        model = build_resnet(config["architecture"], None, len(config["class_names"]))
        with loading_errors(str(checkpoint.folder / name)):
            model.load_state_dict(load_file(checkpoint.folder / name / WEIGHTS))
        models[seed] = model.to(chosen)
    parts: dict[int, list[np.ndarray]] = {seed: [] for seed in models}
    pictures = decode(images, config["input_size_px"], config["fit"])
    while batch := list(islice(pictures, evaluation_batch(config["input_size_px"]))):
        pixels = np.stack([as_pixels(fitted) for fitted in batch])
        for seed, model in models.items():
            parts[seed].append(predict_logits(model, pixels, chosen).softmax(1).numpy())
    tables = [
        predictions_table(seed, images, np.concatenate(probabilities), config["class_names"])
        for seed, probabilities in parts.items()
    ]
    return pd.concat(tables, ignore_index=True)


def predictions_table(seed: int, images: ImageSet, probabilities: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """The table described above from (N, C) `probabilities`."""
    return pd.DataFrame(
        {
            "seed": seed,
            "image_id": images.index["image_id"],
            "label": images.index["label"],
            "predicted": np.array(class_names)[probabilities.argmax(1)],
            "probabilities": list(probabilities.astype(np.float32)),
        }
    )
