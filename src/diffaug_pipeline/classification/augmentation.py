"""Traditional augmentation with torchvision v2, picture by picture."""

import torch
from torchvision.transforms import v2

from diffaug_pipeline.classification.options import AugmentationOptions

POLICIES = {"trivial_augment": v2.TrivialAugmentWide, "rand_augment": v2.RandAugment}


def build_augmentation(options: AugmentationOptions, size_px: int) -> v2.Transform:
    """A transform of (3, S, S) uint8; draws from torch's global generator."""
    steps: list[torch.nn.Module] = []
    if shift := round(options.max_shift * size_px):
        steps.append(v2.RandomCrop(size_px, padding=shift))
    if options.horizontal_flip:
        steps.append(v2.RandomHorizontalFlip())
    if options.policy != "none":
        steps.append(POLICIES[options.policy]())
    return v2.Compose(steps) if steps else v2.Identity()
