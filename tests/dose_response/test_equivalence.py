import numpy as np
import pytest
from scipy.optimize import curve_fit

from diffaug_pipeline.dose_response.choice import Measured
from diffaug_pipeline.dose_response.equivalence import Curve, fit_power_laws, worth_in_images

RESAMPLES = 500
GROWTH = np.array([0.25, 0.5, 0.75, 1.0])


def law(images: np.ndarray | float, a: float = 0.05, b: float = 2.0, c: float = 0.4) -> np.ndarray | float:
    return a + b * np.asarray(images) ** -c


def curve_of(**parameters: float) -> Curve:
    return curve_through(1 - law(200 * GROWTH, **parameters))


def curve_through(means: np.ndarray, noise: float = 0.0) -> Curve:
    """Five seeds around (4,) `means`; which images are asked about makes as much of a difference as the seed."""
    rng = np.random.default_rng(0)
    values = means + rng.normal(0, noise, (5, 4))
    return Curve(200 * GROWTH, values, values + rng.normal(0, noise, (RESAMPLES, 1, 4)))


def gain_of(mean: float, noise: float = 0.0) -> Measured:
    rng = np.random.default_rng(1)
    values = mean + noise * np.linspace(-1, 1, 5)
    return Measured(values, values + rng.normal(0, noise, (RESAMPLES, 1)))


def worth(curve: Curve, gain: Measured, **changes) -> dict:
    return worth_in_images(curve, gain, **{"max_growth": 4.0, "confidence": 0.95, "seed": 0} | changes)


@pytest.mark.parametrize("parameters", [{}, {"a": 0.0, "b": 1.0, "c": 0.2}, {"a": 0.1, "b": 5.0, "c": 0.8}])
@pytest.mark.parametrize("extra", [20, 150, 400])
def test_images_of_a_known_power_law_are_recovered(parameters, extra):
    gain = law(200, **parameters) - law(200 + extra, **parameters)
    told = worth(curve_of(**parameters), gain_of(gain))
    assert told["images"] == pytest.approx(extra, rel=0.05)
    assert told["interval"] == [told["images"]] * 2


def test_the_fit_is_that_of_scipy():
    errors = law(200 * GROWTH) + np.array([0.004, -0.006, 0.005, -0.002])
    fitted = fit_power_laws(GROWTH, errors[None])
    bounds = ([0, 0, 0.05], [1, 10, 2])
    expected, _ = curve_fit(lambda n, a, b, c: a + b * n**-c, GROWTH, errors, p0=(0.1, 0.2, 0.5), bounds=bounds)
    ours = fitted.errors(GROWTH)[0]
    theirs = law(GROWTH, *expected)
    assert ((ours - errors) ** 2).sum() <= ((theirs - errors) ** 2).sum() * 1.001
    np.testing.assert_allclose(ours, theirs, atol=5e-4)


def test_parameters_stay_possible_where_the_curve_rises_or_falls_straight():
    rising, flat, steep = [0.1, 0.2, 0.3, 0.4], [0.3] * 4, [0.9, 0.4, 0.2, 0.01]
    fitted = fit_power_laws(GROWTH, np.array([rising, flat, steep]))
    assert (fitted.asymptote >= 0).all()
    assert (fitted.scale >= 0).all()
    np.testing.assert_allclose(fitted.errors(GROWTH)[:2], [[0.25] * 4, flat], atol=1e-9)


def test_no_gain_is_worth_no_images_however_badly_the_curve_fits():
    crooked = curve_through(np.array([0.5, 0.7, 0.65, 0.72]))
    assert worth(crooked, gain_of(0.0))["images"] == 0
    flat = curve_through(np.full(4, 0.7))
    assert worth(flat, gain_of(0.0))["images"] == 0


def test_a_loss_is_worth_less_than_no_images():
    loss = law(200) - law(120)
    assert worth(curve_of(), gain_of(loss))["images"] == pytest.approx(-80, rel=0.05)


@pytest.mark.parametrize("gain", [law(200) - law(900), 0.5])
def test_what_lies_too_far_beyond_the_data_is_not_told(gain):
    """600 images more, or more than the curve can ever gain."""
    told = worth(curve_of(), gain_of(gain))
    assert told == {"images": None, "interval": [None, None], "limit": 600}


def test_the_interval_covers_what_seeds_and_images_leave_open():
    curve, gain = curve_through(1 - law(200 * GROWTH), 0.002), gain_of(law(200) - law(300), 0.006)
    low, high = worth(curve, gain)["interval"]
    assert low < 100 < high
    assert low < worth(curve, gain)["images"] < high
    assert worth(curve, gain, seed=1)["interval"] == pytest.approx([low, high], rel=0.2)
    narrower = worth(curve, gain, confidence=0.5)["interval"]
    assert low < narrower[0] < narrower[1] < high


def test_seeds_and_images_each_widen_the_interval():
    curve, gain = curve_of(), gain_of(law(200) - law(300), 0.006)
    by_seed_alone = Measured(gain.values, np.tile(gain.values, (RESAMPLES, 1)))
    by_image_alone = Measured(gain.values, gain.resampled - gain.values + gain.mean)
    widths = [
        high - low for low, high in (worth(curve, each)["interval"] for each in (gain, by_seed_alone, by_image_alone))
    ]
    assert widths[0] > max(widths[1:])
    assert min(widths[1:]) > 0
