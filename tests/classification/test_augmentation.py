import pytest
import torch

from diffaug_pipeline.classification.augmentation import Augmentation
from diffaug_pipeline.classification.options import AugmentationOptions


def augmentation(**changes) -> Augmentation:
    values = {"horizontal_flip": False, "max_shift": 0.0, "policy": "none"}
    return Augmentation(AugmentationOptions(**values | changes), 16)


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_nothing_asked_for_changes_nothing(pictures):
    assert torch.equal(augmentation()(pictures), pictures)


def test_about_half_the_draws_flip(pictures):
    torch.manual_seed(0)
    flipped = augmentation(horizontal_flip=True)(pictures)
    mirrored = (flipped == pictures.flip(-1)).flatten(1).all(1)
    kept = (flipped == pictures).flatten(1).all(1)
    assert (mirrored | kept).all()
    assert 0 < mirrored.sum() < 40


def test_shifts_stay_within_their_limit(pictures):
    torch.manual_seed(0)
    shifted = augmentation(max_shift=0.125)(torch.full_like(pictures, 255))
    lit = (shifted[:, 0] > 0).flatten(1).sum(1)
    assert lit.min() >= 14 * 14
    assert lit.unique().numel() > 1


@pytest.mark.parametrize("policy", ["trivial_augment", "rand_augment"])
def test_policies_change_pictures_repeatably_and_draw_afresh(pictures, policy):
    augment = augmentation(policy=policy)
    torch.manual_seed(0)
    first, second = augment(pictures), augment(pictures)
    torch.manual_seed(0)
    assert torch.equal(augment(pictures), first)
    assert not torch.equal(first, second)
    assert first.shape == pictures.shape
    assert first.dtype == torch.uint8
