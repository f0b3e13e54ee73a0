"""Figures as people read them."""


def in_points(mean: float, low: float, high: float) -> str:
    """A difference of two shares with its interval.

    >>> in_points(0.038, -0.019, 0.095)
    '+3.8 points [-1.9, +9.5]'
    """
    return f"{100 * mean:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}]"
