"""Nodes of detection."""

from functools import partial

from diffaug_pipeline.detection.options import DetectionTrainingOptions
from diffaug_pipeline.nouns import Checkpoint, FillFolder, ImageSet, Table


def train_detectors(training_set: ImageSet, real_images: ImageSet, options: DetectionTrainingOptions) -> FillFolder:
    """One network per seed; trained while they are saved, seed by seed."""
    from diffaug_pipeline.detection import training

    return partial(training.train_detectors, training_set, real_images, options)


def read_history(checkpoint: Checkpoint) -> Table:
    """Loss and validation average precision over the steps of each seed."""
    from diffaug_pipeline.training import seeds

    return seeds.read_history(checkpoint)


def detect_on_test_images(checkpoint: Checkpoint, real_images: ImageSet, options: DetectionTrainingOptions) -> Table:
    """What each network finds in the real test images."""
    from diffaug_pipeline.detection import prediction

    return prediction.predict(checkpoint, real_images.where(split="test"), real_images.class_names, options)
