"""How often do 95 % intervals of a difference contain the truth? Ours, a crossed bootstrap, and t over seeds.

Two arms answer the same images. An answer is right where a standard normal number lies below the quantile of the
network's accuracy, so the true difference is known exactly. The number has parts of the image, the image in the arm,
the image in the seed, and chance; the accuracy varies from network to network. Exits with 1 if ours covers too little
or too much anywhere.
"""

import sys
from dataclasses import dataclass

import numpy as np
from scipy import stats
from table import print_markdown

from diffaug_pipeline.evaluation.intervals import bootstrap_counts, crossed_interval
from diffaug_pipeline.seeding import derive_seed

CONFIDENCE, LOWEST, HIGHEST = 0.95, 0.92, 0.98
SIMULATIONS, RESAMPLES, BLOCK = 1_000, 250, 50
SEED_COUNTS, SEED_SDS = (5, 10), (0.0, 0.01, 0.02, 0.04)


@dataclass(frozen=True)
class Condition:
    """What is simulated; shares are of the variance behind an answer, the rest is chance."""

    images: int = 800
    accuracy: float = 0.8
    difference: float = 0.02
    image_share: float = 0.5
    arm_image_share: float = 0.1
    seed_image_share: float = 0.1
    paired_share: float = 0.0
    """Of the variance of accuracy between networks: what the two arms of a seed have in common."""
    heavy_tails: bool = False
    """Accuracies are spread as t with 3 degrees of freedom: now and then a training fails."""
    spread: float = 1.0
    """Factor on the SD between seeds."""


STANDARD = Condition()
CONDITIONS = {
    "800 images, 80 % against 82 %": STANDARD,
    "200 images": Condition(images=200),
    "1,000 images": Condition(images=1_000),
    "accuracy 70 %": Condition(accuracy=0.7),
    "accuracy 90 %": Condition(accuracy=0.9),
    "no difference": Condition(difference=0.0),
    "difference of 3 points": Condition(difference=0.03),
    "answers independent": Condition(image_share=0.0, arm_image_share=0.0, seed_image_share=0.0),
    "answers nearly the same": Condition(image_share=0.7, arm_image_share=0.15, seed_image_share=0.1),
    "arms paired by seed": Condition(seed_image_share=0.2, paired_share=0.7),
    "SD doubled": Condition(spread=2.0),
    "heavy tails": Condition(heavy_tails=True),
}


def main() -> int:
    rows, failed = [], []
    for name, condition in CONDITIONS.items():
        for seeds in SEED_COUNTS:
            shares = {sd: coverage(condition, seeds, sd, SIMULATIONS) for sd in SEED_SDS}
            rows.append([name, str(seeds), *(_in_percent(share) for share in shares.values())])
            failed += [
                f"{name}, {seeds} seeds, SD {100 * sd:g}"
                for sd, share in shares.items()
                if not LOWEST <= share["ours"] <= HIGHEST
            ]
    print(f"Share of {CONFIDENCE:.0%} intervals that contain the truth, %: ours (bootstrap, t over seeds)\n")
    print_markdown(["condition", "seeds", *(f"seed SD {100 * sd:g} points" for sd in SEED_SDS)], rows)
    print(f"\nOurs outside {LOWEST:.0%} to {HIGHEST:.0%}: {'; '.join(failed) or 'nowhere'}")
    return int(bool(failed))


def coverage(condition: Condition, seeds: int, seed_sd: float, simulations: int) -> dict[str, float]:
    """By method, the share of simulations whose interval contains the true difference."""
    rng = np.random.default_rng(derive_seed(0, str(condition), seeds, seed_sd))
    counts = np.concatenate(list(bootstrap_counts(condition.images, RESAMPLES, 1))).astype(np.float32)
    hits: dict[str, int] = {}
    for start in range(0, simulations, BLOCK):
        paired = differences(condition, seeds, seed_sd, min(BLOCK, simulations - start), rng)
        for method, bounds in intervals(paired, counts / condition.images, rng).items():
            inside = (bounds[:, 0] <= condition.difference) & (condition.difference <= bounds[:, 1])
            hits[method] = hits.get(method, 0) + int(inside.sum())
    return {method: count / simulations for method, count in hits.items()}


def differences(
    condition: Condition, seeds: int, seed_sd: float, simulations: int, rng: np.random.Generator
) -> np.ndarray:
    """(simulations, seeds, images) right answers of the second arm minus those of the first."""
    shape, networks = (simulations, 1, 1, condition.images), (simulations, 2, seeds, 1)
    arm_shape, seed_shape = (simulations, 2, 1, condition.images), (simulations, 1, seeds, condition.images)
    parts = {
        shape: condition.image_share,
        arm_shape: condition.arm_image_share,
        seed_shape: condition.seed_image_share,
    }
    chance = 1 - sum(parts.values())
    numbers = np.sqrt(chance) * rng.standard_normal((simulations, 2, seeds, condition.images), np.float32)
    for of_part, share in parts.items():
        numbers += np.float32(np.sqrt(share)) * rng.standard_normal(of_part, np.float32)
    draw = _draw_heavy_tails if condition.heavy_tails else _draw_normal
    common = np.sqrt(condition.paired_share) * draw(rng, (simulations, 1, seeds, 1))
    effects = common + np.sqrt(1 - condition.paired_share) * draw(rng, networks)
    accuracy = condition.accuracy + np.array([0, condition.difference])[:, None, None]
    right = numbers < stats.norm.ppf((accuracy + condition.spread * seed_sd * effects).clip(0, 1))
    return right[:, 1].astype(np.float32) - right[:, 0]


def _draw_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def _draw_heavy_tails(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_t(3, shape) / np.sqrt(3)


def intervals(paired: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """By method, (simulations, 2) bounds from (simulations, seeds, images) differences."""
    simulations, seeds, images = paired.shape
    values, tail = paired.mean(2, dtype=np.float64), (1 - CONFIDENCE) / 2
    resampled = (counts @ paired.reshape(-1, images).T).reshape(-1, simulations, seeds).swapaxes(0, 1)
    ours = [crossed_interval(*of_one, CONFIDENCE) for of_one in zip(values, resampled, strict=True)]
    drawn = rng.integers(0, seeds, resampled.shape)
    means = np.take_along_axis(resampled, drawn, axis=2).mean(2)
    half_width = stats.t.ppf(1 - tail, seeds - 1) * values.std(1, ddof=1) / np.sqrt(seeds)
    return {
        "ours": np.array([(interval.low, interval.high) for interval in ours]),
        "bootstrap": np.quantile(means, [tail, 1 - tail], axis=1).T,
        "t over seeds": values.mean(1)[:, None] + half_width[:, None] * [-1, 1],
    }


def _in_percent(shares: dict[str, float]) -> str:
    ours, bootstrap, t = (f"{100 * share:.1f}" for share in shares.values())
    return f"{ours} ({bootstrap}, {t})"


if __name__ == "__main__":
    sys.exit(main())
