import numpy as np
import pytest
from measures.measure_cases import cloud
from scipy.linalg import sqrtm

from diffaug_pipeline.measures import frechet


def test_it_is_the_distance_of_two_normal_distributions(monkeypatch):
    monkeypatch.setattr(frechet, "BLOCK", 37)
    real, generated = cloud(300, seed=0), cloud(200, seed=1, center=1, spread=0.6)
    (mean, covariance), (other_mean, other_covariance) = (
        (vectors.mean(0), np.cov(vectors.astype(float), rowvar=False)) for vectors in (real, generated)
    )
    root = sqrtm(covariance @ other_covariance).real
    expected = ((mean - other_mean) ** 2).sum() + np.trace(covariance + other_covariance - 2 * root)
    assert frechet.frechet_distance(real, generated) == pytest.approx(expected, rel=1e-4)
