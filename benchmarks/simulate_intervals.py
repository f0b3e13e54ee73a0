"""How often do 95 % intervals of a difference contain the truth? Ours, a crossed bootstrap, and t over seeds.

Two arms answer the same images: logits have parts of the image, the seed, the image in the arm, and chance. The
spread of the seed's effect on the difference is varied, from none to more than the test images cause.
"""

import numpy as np
from scipy import stats
from table import print_table

from diffaug_pipeline.evaluation.intervals import bootstrap_counts, crossed_interval

IMAGES, RESAMPLES, REPETITIONS, CONFIDENCE = 800, 250, 500, 0.95
EFFECT = 0.12
"""Of the second arm on the logit: about two points of accuracy."""


def main() -> None:
    rng = np.random.default_rng(0)
    counts = np.concatenate(list(bootstrap_counts(IMAGES, RESAMPLES, 1))) / IMAGES
    rows = []
    for seeds in (5, 10):
        for spread in (0.0, 0.06, 0.12, 0.24):
            truth = np.mean([difference(2_000, 500, spread, rng).mean() for _ in range(60)])
            covered = np.zeros(3)
            for _ in range(REPETITIONS):
                paired = difference(IMAGES, seeds, spread, rng)
                covered += [low <= truth <= high for low, high in intervals(paired, counts, rng)]
            ours, bootstrap, t = covered / REPETITIONS
            case = f"{seeds} seeds, spread {spread:.2f}, true difference {100 * truth:.2f} points"
            rows.append((case, f"ours {ours:.3f}, bootstrap {bootstrap:.3f}, t over seeds {t:.3f}"))
    print_table(f"Share of {CONFIDENCE:.0%} intervals that contain the truth", rows)


def difference(images: int, seeds: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """(seeds, images) right answers of the second arm minus those of the first."""
    difficulty, in_arm = 1.2 + rng.normal(0, 1.2, images), rng.normal(0, 0.5, images)
    shared = difficulty + rng.normal(0, 0.15, (seeds, 1))
    effect = EFFECT + spread * rng.normal(0, 1, (seeds, 1)) + in_arm

    def right(logits: np.ndarray) -> np.ndarray:
        chance = rng.normal(0, 0.6, (seeds, images))
        return (rng.random((seeds, images)) < 1 / (1 + np.exp(-logits - chance))).astype(float)

    return right(shared + effect) - right(shared)


def intervals(paired: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Ours, crossed bootstrap, t over seeds."""
    values, resampled, tail = paired.mean(1), counts @ paired.T, (1 - CONFIDENCE) / 2
    seeds = len(values)
    ours = crossed_interval(values, resampled, CONFIDENCE)
    drawn = rng.integers(0, seeds, (len(counts), seeds))
    means = np.take_along_axis(resampled, drawn, axis=1).mean(1)
    half_width = stats.t.ppf(1 - tail, seeds - 1) * values.std(ddof=1) / np.sqrt(seeds)
    return [
        (ours.low, ours.high),
        tuple(np.quantile(means, [tail, 1 - tail])),
        (values.mean() - half_width, values.mean() + half_width),
    ]


if __name__ == "__main__":
    main()
