"""Nodes of classification."""

from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.nouns import Checkpoint, FillFolder, ImageSet, Table


def train_classifiers(training_set: ImageSet, real_images: ImageSet, options: TrainingOptions) -> FillFolder:
    """One network per seed; trained while they are saved, seed by seed."""
    from functools import partial

    from diffaug_pipeline.classification import training

    return partial(training.train_classifiers, training_set, real_images, options)


def read_history(checkpoint: Checkpoint) -> Table:
    """Loss and validation accuracy over the steps of each seed."""
    from diffaug_pipeline.training import seeds

    return seeds.read_history(checkpoint)


def predict_test_images(checkpoint: Checkpoint, real_images: ImageSet, options: TrainingOptions) -> Table:
    """What each network says about the real test images."""
    from diffaug_pipeline.classification import prediction

    return prediction.predict(checkpoint, real_images.where(split="test"), options.device)
