"""Traditional augmentation with torchvision v2."""

import torch
from torchvision.transforms import v2

from diffaug_pipeline.classification.options import AugmentationOptions

POLICIES = {"trivial_augment": v2.TrivialAugmentWide, "rand_augment": v2.RandAugment}
PICTURES_PER_DRAW = 4
"""Pictures changed by one random draw: on small pictures v2's bookkeeping costs more than the change itself."""


class Augmentation:
    """Shift, flip and a policy; draws from torch's global generator."""

    def __init__(self, options: AugmentationOptions, size_px: int):
        steps: list[torch.nn.Module] = []
        if shift := round(options.max_shift * size_px):
            steps.append(v2.RandomCrop(size_px, padding=shift))
        if options.horizontal_flip:
            steps.append(v2.RandomHorizontalFlip())
        if options.policy != "none":
            steps.append(POLICIES[options.policy]())
        self._transform = v2.Compose(steps) if steps else v2.Identity()

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, 3, S, S) uint8, changed a few at a time."""
        return torch.cat([self._transform(part) for part in pictures.split(PICTURES_PER_DRAW)])
