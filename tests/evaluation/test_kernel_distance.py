import numpy as np
import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

from diffaug_pipeline.evaluation.kernel_distance import difference, kernel_distance, kernel_distances, real_floor


def unit_vectors(count: int, seed: int, shift: float = 0.0, dimensions: int = 16) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    vectors[:, 0] += shift
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_it_is_the_distance_of_torchmetrics():
    real, generated = unit_vectors(60, seed=0), unit_vectors(60, seed=1, shift=0.5)
    theirs = poly_mmd(*(torch.from_numpy(features).double() for features in (real, generated)), gamma=1.0)
    assert kernel_distance(real, generated) == pytest.approx(theirs.item(), rel=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save all extracted features")
def test_subsets_average_to_the_whole_as_torchmetrics_has_it():
    real, generated = unit_vectors(80, seed=0), unit_vectors(80, seed=1, shift=1.5)
    metric = KernelInceptionDistance(feature=torch.nn.Identity(), subsets=400, subset_size=40, gamma=1.0)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(generated), real=False)
    torch.manual_seed(0)
    mean, spread = (float(value) for value in metric.compute())
    ours = kernel_distances(real, {"generated": generated}, halves=400, seed=0)["generated"]
    assert ours.over_halves.mean() == pytest.approx(mean, rel=0.05)
    assert ours.value == pytest.approx(mean, rel=0.05)
    assert ours.standard_error == pytest.approx(spread, rel=0.15)


def test_unequal_samples_of_the_same_pictures_are_at_distance_zero_on_average():
    distances = [kernel_distance(unit_vectors(30, seed), unit_vectors(12, 1_000 + seed)) for seed in range(300)]
    assert abs(np.mean(distances)) < 3 * np.std(distances) / np.sqrt(300)


def test_the_standard_error_is_how_much_other_samples_would_differ():
    values = [kernel_distance(unit_vectors(120, seed), unit_vectors(60, 500 + seed, shift=1)) for seed in range(200)]
    errors = [
        kernel_distances(unit_vectors(120, seed), {"": unit_vectors(60, 500 + seed, shift=1)}, 100, seed)[""]
        for seed in range(10)
    ]
    assert np.mean([distance.standard_error for distance in errors]) == pytest.approx(np.std(values), rel=0.25)


def test_a_difference_of_sets_from_the_same_seeds_is_surer_than_each_of_them():
    base, real = unit_vectors(60, seed=1, shift=1), unit_vectors(60, seed=0)
    nudged = base + 0.02 * unit_vectors(60, seed=2)
    distances = kernel_distances(real, {"a": base, "b": nudged / np.linalg.norm(nudged, axis=1, keepdims=True)}, 100, 0)
    between = difference(distances["a"], distances["b"], width=2)
    assert between.mean == pytest.approx(distances["a"].value - distances["b"].value)
    assert between.low < between.mean < between.high
    assert between.high - between.low < distances["a"].standard_error


@pytest.mark.parametrize("size", [10, 500])
def test_real_pictures_are_at_no_distance_from_real_pictures(size):
    floor = real_floor(unit_vectors(100, seed=0), size, draws=200, seed=0)
    assert len(floor) == 200
    assert abs(floor.mean()) < 4 * floor.std() / np.sqrt(200)
    assert floor.std() > 0
