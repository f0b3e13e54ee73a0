"""Which distance makes a picture a copy."""

import numpy as np

RECODED = 0.003
"""What re-encoding, resizing, mirroring and cropping by 5 % usually leave between a picture and its copy, even of 28
pixels. Smaller distances are those of copies whatever the data; so are those of real images among themselves, which
therefore do not count as distances of independent pictures."""
COPIED = 0.02
"""Larger distances are none, however far apart the real images are."""
STANDS_OUT = 0.1
"""Of a distance below `COPIED`: so much smaller than that to the runner-up, it is that of a copy."""
DISTANCES_NEEDED = 10
"""Below a quantile that is to be more than chance."""
TAIL_EXPONENT = 0.5
"""Of quantiles of nearest distances, by their rate. The embedded garments have 0.15 to 0.3; the larger one errs on the
side of fewer false alarms, also where some classes are denser than others."""


def copy_threshold(distances: np.ndarray, false_alarm_rate: float) -> float:
    """Below which a distance is that of a copy, in [0.003, 0.02].

    It is the `false_alarm_rate` quantile of (N,) distances of independent pictures to their nearest real image. Where
    fewer than ten lie below that quantile, it is extrapolated from the tenth by a power law.

    >>> distances = np.linspace(0.01, 0.11, 1_000)
    >>> round(copy_threshold(distances, 0.05), 4)
    0.015
    >>> round(copy_threshold(distances, 0.002), 4)
    0.0049
    """
    independent = distances[distances > RECODED]
    if not len(independent):
        return RECODED
    rate = min(1.0, max(false_alarm_rate, DISTANCES_NEEDED / len(independent)))
    estimate = np.quantile(independent, rate) * (false_alarm_rate / rate) ** TAIL_EXPONENT
    return float(np.clip(estimate, RECODED, COPIED))


def are_copies(distances: np.ndarray, runner_up_distances: np.ndarray, threshold: float) -> np.ndarray:
    """(N,) whether each picture is a copy of its nearest real image.

    Either it is nearer than the threshold, or so much nearer than the runner-up that chance would hardly do it (Lowe
    2004, section 7.1): this finds copies that were damaged more where real images are near each other.
    """
    return (distances < threshold) | ((distances < COPIED) & (distances < STANDS_OUT * runner_up_distances))
