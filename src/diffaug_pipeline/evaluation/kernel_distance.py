"""Kernel distance (KID) of generated pictures to real ones, from features that some network has given to both."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from diffaug_pipeline.evaluation.intervals import Interval


@dataclass(frozen=True)
class KernelDistance:
    """Of all pictures, and of random halves of them."""

    value: float
    """Near 0 for two samples of the same pictures; unbiased, so it may be negative."""
    over_halves: np.ndarray
    """(B,); where it belongs to a mapping of several sets, the n-th half is of the same rows in each."""

    @property
    def standard_error(self) -> float:
        """Of `value`.

        Halves drawn without replacement vary around the whole as much as the whole does around the truth (delete-half
        jackknife: Shao and Wu 1989). Where there is no distance at all they vary more, up to 1.7 times.
        """
        return float(self.over_halves.std(ddof=1))


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared maximum mean discrepancy of (N, D) and (M, D) unit vectors, unbiased (Gretton et al. 2012, equation 3).

    The kernel is that of KID (Binkowski et al. 2018, section 4), (x·y + 1) cubed, but for its factor 1/D before x·y:
    meant for features whose coordinates are of order one, it would leave unit vectors of many dimensions with nothing
    but their means to be compared by.

    >>> kernel_distance(np.eye(4), -np.eye(4))
    0.5
    """
    return discrepancy(_kernel(first, first), _kernel(first, second), _kernel(second, second))


def discrepancy(first: np.ndarray, across: np.ndarray, second: np.ndarray) -> float:
    """Squared maximum mean discrepancy from kernels (N, N) within, (N, M) across and (M, M) within, any kernel's."""
    return _within(first) + _within(second) - 2 * float(across.mean())


def cubic_kernel(cosines: np.ndarray) -> np.ndarray:
    """That of `kernel_distance`, of the cosines of unit vectors."""
    return (cosines + 1) ** 3


def kernel_distances(
    real: np.ndarray, generated: Mapping[str, np.ndarray], halves: int, seed: int
) -> dict[str, KernelDistance]:
    """Each of the `generated` sets against `real` (N, D).

    The sets have the shape (M, D) in common, and row m of each stands for the same prompt and seed: halves are drawn
    of rows, so that what they say about two sets can be compared half by half (`difference`).
    """
    (count,) = {len(features) for features in generated.values()}
    rng, of_real = np.random.default_rng(seed), _kernel(real, real)
    drawn = [(_half(len(real), rng), _half(count, rng)) for _ in range(halves)]
    within_real = [_within(of_real[np.ix_(r, r)]) for r, _ in drawn]
    distances = {}
    for name, features in generated.items():
        own, across = _kernel(features, features), _kernel(real, features)
        over_halves = [
            within + _within(own[np.ix_(g, g)]) - 2 * across[np.ix_(r, g)].mean()
            for (r, g), within in zip(drawn, within_real, strict=True)
        ]
        distances[name] = KernelDistance(discrepancy(of_real, across, own), np.array(over_halves))
    return distances


def real_floor(real: np.ndarray, size: int, draws: int, seed: int) -> np.ndarray:
    """(draws,) distances of `size` real pictures, or half of them where there are fewer, to the other real ones.

    What a perfect generator would get: 0 on average, and this far from it by chance.
    """
    rng, of_real = np.random.default_rng(seed), _kernel(real, real)
    size = min(size, len(real) // 2)
    distances = []
    for _ in range(draws):
        drawn, rest = np.split(rng.permutation(len(real)), [size])
        kernels = (of_real[np.ix_(*rows)] for rows in ((rest, rest), (rest, drawn), (drawn, drawn)))
        distances.append(discrepancy(*kernels))
    return np.array(distances)


def difference(first: KernelDistance, second: KernelDistance, width: float) -> Interval:
    """`first` minus `second`, give or take `width` standard errors of the difference; both of one mapping."""
    mean = first.value - second.value
    half_width = width * float((first.over_halves - second.over_halves).std(ddof=1))
    return Interval(mean, mean - half_width, mean + half_width)


def _half(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(count)[: max(2, count // 2)]


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return cubic_kernel(first.astype(np.float64) @ second.astype(np.float64).T)


def _within(kernel: np.ndarray) -> float:
    """Mean of an (N, N) kernel over pairs of different pictures."""
    return float((kernel.sum() - kernel.trace()) / (len(kernel) * (len(kernel) - 1)))
