import pytest
import torch
from torch import nn

from diffaug_pipeline.pretraining import loop
from diffaug_pipeline.pretraining.options import LoopOptions

OPTIONS = LoopOptions(
    steps=250,
    batch_size=8,
    learning_rate=0.05,
    warmup_steps=10,
    weight_decay=0.0,
    ema_decay=0.9,
    checkpoint_every=70,
    seed=0,
)


def build() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def loss_at_step(model: nn.Module, generator: torch.Generator) -> torch.Tensor:
    inputs = torch.randn(8, 3, generator=generator)
    return ((model(inputs).squeeze(1) - inputs.sum(1)) ** 2).mean()


def test_training_reduces_the_loss_and_keeps_its_history(tmp_path):
    _, history = loop.train(build(), loss_at_step, OPTIONS, tmp_path, "test")
    assert [row["step"] for row in history] == [100, 200, 250]
    assert history[-1]["loss"] < 0.2 * history[0]["loss"]


def test_a_killed_training_ends_with_the_same_weights(tmp_path):
    calls = 0

    def killed_at_230(model: nn.Module, generator: torch.Generator) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 230:
            raise KeyboardInterrupt
        return loss_at_step(model, generator)

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(KeyboardInterrupt):
        loop.train(build(), killed_at_230, OPTIONS, tmp_path / "a", "test")
    resumed, first_history = loop.train(build(), loss_at_step, OPTIONS, tmp_path / "a", "test")
    undisturbed, second_history = loop.train(build(), loss_at_step, OPTIONS, tmp_path / "b", "test")
    assert first_history == second_history
    for ours, theirs in zip(resumed.parameters(), undisturbed.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_learning_rate_rises_and_falls():
    factors = [loop.learning_rate_factor(step, OPTIONS) for step in (0, 9, 10, 130, 249)]
    assert factors == [0.1, 1.0, 1.0, pytest.approx(0.5), pytest.approx(0.0, abs=1e-3)]
