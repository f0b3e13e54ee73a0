import numpy as np
import pytest
from measures.measure_cases import cloud, modes
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors

from diffaug_pipeline.evaluation.kernel_distance import kernel_distance
from diffaug_pipeline.measures.similarity import Cosines, cmmd, kid, neighbourhood_shares


def test_kid_is_the_kernel_distance():
    real, generated = cloud(30, seed=0), cloud(20, seed=1, spread=0.6)
    assert kid(Cosines.between(real, generated)) == pytest.approx(kernel_distance(real, generated), rel=1e-12)


def test_cmmd_is_that_of_the_paper_without_pairs_of_a_picture_with_itself():
    real, generated = (vectors.astype(float) for vectors in (cloud(30, seed=0), cloud(20, seed=1, spread=0.8)))
    gamma = 1 / (2 * 10**2)
    within = [
        rbf_kernel(vectors, gamma=gamma)[~np.eye(len(vectors), dtype=bool)].mean() for vectors in (real, generated)
    ]
    expected = 1000 * (sum(within) - 2 * rbf_kernel(real, generated, gamma=gamma).mean())
    assert expected > 0.1
    assert cmmd(Cosines.between(real, generated)) == pytest.approx(expected, rel=1e-5)


def test_cmmd_of_equal_distributions_is_zero_on_average():
    values = [cmmd(Cosines.between(cloud(20, seed), cloud(12, 500 + seed))) for seed in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)


@pytest.mark.parametrize("neighbours", [1, 3, 5])
@pytest.mark.parametrize(("real_count", "generated_count"), [(40, 40), (25, 60)])
def test_neighbourhoods_are_those_of_nearest_neighbours_in_euclidean_distance(neighbours, real_count, generated_count):
    real, generated = cloud(real_count, seed=2), cloud(generated_count, seed=3, spread=0.8)
    radii = [
        NearestNeighbors(n_neighbors=neighbours).fit(vectors).kneighbors()[0][:, -1] for vectors in (real, generated)
    ]
    distances = cdist(real, generated)
    near_real = distances <= radii[0][:, None]
    expected = {
        "precision": near_real.any(axis=0).mean(),
        "density": near_real.sum() / (neighbours * generated_count),
        "recall": (distances <= radii[1][None, :]).any(axis=1).mean(),
        "coverage": (distances.min(axis=1) <= radii[0]).mean(),
    }
    assert 0 < expected["precision"] < 1
    assert neighbourhood_shares(Cosines.between(real, generated), neighbours) == pytest.approx(expected)


def test_equal_distributions_have_the_density_and_coverage_that_theory_expects():
    count, neighbours = 20, 3
    shares = [
        neighbourhood_shares(Cosines.between(cloud(count, seed), cloud(count, 1_000 + seed)), neighbours)
        for seed in range(300)
    ]
    missed = np.prod(
        [(count - i) / (2 * count - i) for i in range(1, neighbours + 1)]
    )  # Naeem et al. 2020, section 3.2
    assert np.mean([share["coverage"] for share in shares]) == pytest.approx(1 - missed, abs=0.01)
    assert np.mean([share["density"] for share in shares]) == pytest.approx(1, abs=0.05)
    assert np.mean([share["precision"] for share in shares]) == pytest.approx(
        np.mean([share["recall"] for share in shares]), abs=0.01
    )


def test_collapse_to_a_mode_costs_recall_and_coverage_and_no_precision():
    real, same, collapsed = modes(60, seed=0), modes(60, seed=1), cloud(180, seed=2, spread=0.1)
    whole, part = (neighbourhood_shares(Cosines.between(real, other), 3) for other in (same, collapsed))
    assert part["precision"] > whole["precision"] - 0.05
    assert part["recall"] < whole["recall"] - 0.4
    assert part["coverage"] < whole["coverage"] - 0.4


def test_noise_costs_precision_and_density():
    real, same, noisy = cloud(90, seed=0, spread=0.2), cloud(90, seed=1, spread=0.2), cloud(90, seed=2, spread=0.5)
    clean, noise = (neighbourhood_shares(Cosines.between(real, other), 3) for other in (same, noisy))
    assert noise["precision"] < clean["precision"] - 0.4
    assert noise["density"] < clean["density"] - 0.4


def test_copies_lie_wherever_their_originals_do():
    real = cloud(40, seed=0)
    shares = neighbourhood_shares(Cosines.between(real, real[::-1].copy()), 3)
    assert shares["precision"] == shares["recall"] == shares["coverage"] == 1
    assert shares["density"] == pytest.approx(4 / 3)  # each in the neighbourhood of its original, and where that is
