"""What the repetitions of `known_truth` share, made once in a folder: real images, their features, a trained body."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import yaml
from chain import CONF, ResNets, make_features, options_from_conf
from kedro.io import Version
from planted import as_synthetic, pool_pictures
from truth_cases import Setting

from diffaug_pipeline.classification.training import train_classifiers
from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.merging.training_sets import real_only
from diffaug_pipeline.pretraining.options import PoolOptions
from diffaug_pipeline.pretraining.pool import read_pool

FEW_SHOT = {"train": 4, "val": 10, "test": 100}
"""Images per class."""
BODY_PER_CLASS, EXTRA_PER_CLASS, HELPFUL_PER_CLASS = 100, 80, 250
PLANTED_PER_CLASS, HELPING_PER_CLASS, LEAKED_PER_CLASS = 42, 126, 50
BODY_STEPS, BODY_LEARNING_RATE = 250, 1e-3
POOL, FEATURES, BODY = "pool.parquet", "features", "body"


def prepare_setting(folder: Path, fashion_mnist: Path | None) -> None:
    """Makes what is missing in `folder`; Fashion-MNIST is downloaded unless its idx files lie in `fashion_mnist`."""
    folder.mkdir(parents=True, exist_ok=True)
    store = _real_images(folder)
    if not store.exists():
        store.save(ingest(options_from_conf(IngestionOptions, "ingestion"))[0])
    real_images = store.load()
    with _made_whole(folder / FEATURES) as path:
        if path is not None:
            make_features(real_images, real_images, path, ())
    with _made_whole(folder / POOL) as path:
        if path is not None:
            _draw_pool(folder, fashion_mnist).to_parquet(path)
    with _made_whole(folder / BODY) as path:
        if path is not None:
            _train_body(folder, real_images, path)


def load_setting(folder: Path) -> Setting:
    """From a folder that was prepared."""
    real_images = _real_images(folder).load()
    return Setting(
        few_shot=first_of_each_class(real_images, FEW_SHOT),
        whole_task=real_images,
        extra=pool_pictures(_read_pool(folder, "extra")),
        helpful=pool_pictures(_read_pool(folder, "helpful")),
        classifiers=ResNets(folder / BODY / "seed_0" / "model.safetensors"),
        known_features=folder / FEATURES,
        planted_per_class=PLANTED_PER_CLASS,
        helping_per_class=HELPING_PER_CLASS,
        leaked_per_class=LEAKED_PER_CLASS,
    )


def first_of_each_class(images: ImageSet, per_class: dict[str, int]) -> ImageSet:
    """At most so many of each class, by split."""
    number = images.index.groupby(["split", "label"]).cumcount()
    return ImageSet(images.index[number < images.index["split"].map(per_class)].reset_index(drop=True))


def _real_images(folder: Path) -> ImageSetDataset:
    return ImageSetDataset(filepath=str(folder / "real_images"), version=Version("shared", "shared"))


@contextmanager
def _made_whole(path: Path) -> Iterator[Path | None]:
    """Where to make what becomes `path` if nothing goes wrong; None if it is there."""
    if path.exists():
        yield None
        return
    unfinished = path.with_name(f".{path.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    yield unfinished
    unfinished.rename(path)


def _draw_pool(folder: Path, fashion_mnist: Path | None) -> pd.DataFrame:
    """Pool pictures for three uses, `body`, `extra` and `helpful`."""
    block = yaml.safe_load((CONF / "parameters_pretraining.yml").read_text())["pretraining"]["pool"]
    where = {"folder": fashion_mnist and str(fashion_mnist), "download_folder": str(folder / "fashion_mnist")}
    pool = read_pool(PoolOptions(**block | where))
    pool = pool[pool["split"] == "pool_train"]
    drawn = pool.groupby("label").sample(BODY_PER_CLASS + EXTRA_PER_CLASS, random_state=0)
    for_body = drawn.groupby("label").cumcount() < BODY_PER_CLASS
    helpful = pool.drop(drawn.index).groupby("label").sample(HELPFUL_PER_CLASS, random_state=0)
    return pd.concat([drawn.assign(use=for_body.map({True: "body", False: "extra"})), helpful.assign(use="helpful")])


def _read_pool(folder: Path, use: str) -> pd.DataFrame:
    pool = pd.read_parquet(folder / POOL)
    return pool[pool["use"] == use]


def _train_body(folder: Path, real_images: ImageSet, checkpoint: Path) -> None:
    """A network that knows garments, so that few steps and seeds show what a training set is worth."""
    pictures = as_synthetic(pool_pictures(_read_pool(folder, "body")), folder / "body_pictures").index
    validation = real_images.where(split="val").index
    images = ImageSet(pd.concat([pictures.assign(origin="real"), validation], ignore_index=True))
    networks = ResNets(weights=None, steps=BODY_STEPS, learning_rate=BODY_LEARNING_RATE)
    checkpoint.mkdir()
    train_classifiers(real_only(images), images, networks.options([0]), checkpoint)
