import numpy as np
import pytest
from measures.measure_cases import cloud, modes
from scipy.stats import entropy

from diffaug_pipeline.measures.vendi import vendi_score


@pytest.mark.parametrize("count", [1, 7, 12])
def test_orthogonal_vectors_are_as_many_as_there_are_and_equal_ones_are_one(count):
    assert vendi_score(np.eye(12)[:count]) == pytest.approx(count)
    assert vendi_score(np.tile(cloud(1, seed=0), (count, 1))) == pytest.approx(1)


@pytest.mark.parametrize("count", [5, 12, 60])
def test_it_is_the_exponential_of_the_entropy_of_the_kernel_however_it_is_computed(count):
    vectors = cloud(count, seed=1).astype(float)
    eigenvalues = np.linalg.eigvalsh(vectors @ vectors.T / count)
    assert vendi_score(vectors) == pytest.approx(np.exp(entropy(eigenvalues.clip(1e-15))), rel=1e-6)


def test_collapse_lowers_it_and_noise_raises_it():
    assert vendi_score(cloud(90, seed=0, spread=0.1)) < vendi_score(modes(30, seed=1)) - 1
    assert vendi_score(cloud(90, seed=0, spread=0.5)) > vendi_score(cloud(90, seed=0, spread=0.2)) + 1
