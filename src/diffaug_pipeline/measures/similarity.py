"""Measures that only ask how similar pictures are to each other, by the cosines between their unit vectors.

Whole kernels are held: callers bound the number of pictures.
"""

from dataclasses import dataclass

import numpy as np

from diffaug_pipeline.evaluation.kernel_distance import cubic_kernel, discrepancy

CMMD_SIGMA = 10
CMMD_SCALE = 1000
ROUNDING = 1e-9
"""Cosines that differ by less are equal: a copy is as far from everything as what it copies."""


@dataclass(frozen=True)
class Cosines:
    """Between N real pictures and M generated ones."""

    real: np.ndarray
    """(N, N)"""
    across: np.ndarray
    """(N, M)"""
    generated: np.ndarray
    """(M, M)"""

    @classmethod
    def between(cls, real: np.ndarray, generated: np.ndarray) -> "Cosines":
        """Of (N, D) and (M, D) unit vectors, in float64: kernel distances are small differences of large sums."""
        real, generated = real.astype(np.float64), generated.astype(np.float64)
        return cls(real @ real.T, real @ generated.T, generated @ generated.T)


def kid(cosines: Cosines) -> float:
    """Kernel distance, unbiased: see `evaluation.kernel_distance.kernel_distance`."""
    return discrepancy(*(cubic_kernel(part) for part in (cosines.real, cosines.across, cosines.generated)))


def cmmd(cosines: Cosines) -> float:
    """CLIP maximum mean discrepancy, unbiased (Jayasumana et al. 2024, section 4).

    The kernel is Gaussian with sigma 10, on unit vectors, and the result is multiplied by 1,000. So wide a kernel is
    nearly linear there: it compares little but means. The authors' code averages over pairs of a picture with itself,
    too, which at 30,000 pictures changes nothing and at 100 would add a multiple of what is to be measured.
    """
    kernels = (
        np.exp((part - 1) / CMMD_SIGMA**2)  # |x - y|^2 = 2 - 2 x·y
        for part in (cosines.real, cosines.across, cosines.generated)
    )
    return CMMD_SCALE * discrepancy(*kernels)


def neighbourhood_shares(cosines: Cosines, nearest_neighbours: int) -> dict[str, float]:
    """`precision` and `recall` (Kynkäänniemi et al. 2019, section 2), `density` and `coverage` (Naeem et al. 2020).

    A picture's neighbourhood is the ball that reaches to the k-th nearest of its own set. Precision: share of generated
    pictures in the neighbourhood of a real one. Recall: of real ones in that of a generated one. Density: mean number
    of real neighbourhoods a generated picture lies in, divided by k; 1 on average between equal sets, above 1 where
    pictures crowd where real ones do. Coverage: share of real pictures with a generated one in their neighbourhood.
    """
    reach_of_real = _reach(cosines.real, nearest_neighbours)
    reach_of_generated = _reach(cosines.generated, nearest_neighbours)
    near_real = cosines.across >= reach_of_real[:, None]  # (N, M)
    near_generated = cosines.across >= reach_of_generated  # (N, M)
    return {
        "precision": float(near_real.any(axis=0).mean()),
        "density": float(near_real.sum(axis=0).mean() / nearest_neighbours),
        "recall": float(near_generated.any(axis=1).mean()),
        "coverage": float(near_real.any(axis=1).mean()),
    }


def _reach(cosines: np.ndarray, nearest_neighbours: int) -> np.ndarray:
    """(N,) cosine of each picture to the k-th nearest other one of its set."""
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    return np.partition(others, -nearest_neighbours, axis=1)[:, -nearest_neighbours] - ROUNDING
