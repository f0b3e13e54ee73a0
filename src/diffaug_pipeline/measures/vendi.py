"""How many different pictures a set amounts to."""

import numpy as np
from scipy.special import entr


def vendi_score(vectors: np.ndarray) -> float:
    """Effective number of (N, D) unit vectors, in [1, N] (Vendi score: Friedman and Dieng 2023, definition 3.1).

    The exponential of the entropy of the eigenvalues of K / N, K the cosines. These are, zeros aside, those of the
    (D, D) second moments, which are taken where they are smaller.

    >>> round(vendi_score(np.eye(5)), 6), round(vendi_score(np.ones((5, 1))), 6)
    (5.0, 1.0)
    """
    vectors = vectors.astype(np.float64)
    count, dimensions = vectors.shape
    products = vectors @ vectors.T if count <= dimensions else vectors.T @ vectors
    eigenvalues = np.linalg.eigvalsh(products / count)
    return float(np.exp(entr(eigenvalues.clip(0)).sum()))
