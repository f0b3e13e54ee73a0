"""How many synthetic images each class gets."""

from collections.abc import Mapping
from fractions import Fraction

import pandas as pd

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import BudgetOptions

EVEN_SHARE = Fraction(1, 5)
"""Of a total that goes to the weakest classes, what is spread over all alike."""


def allocate(
    budget: BudgetOptions, train: ImageSet, images_per_class: int, class_errors: pd.DataFrame
) -> dict[str, int]:
    """Images (for detection: objects) to make of each class of the real training images `train`.

    They add up to `budget.total`, or to `images_per_class` times the classes. `class_errors` (`class_name`, `error` in
    [0, 1]) decides where the allocation is `weakness`. Raises `ParameterError` if total, quota or errors do not fit.
    """
    counts = count_images(train)
    total = budget.total or images_per_class * len(counts)
    if total < len(counts) and budget.allocation != "balance":
        raise ParameterError(
            f"budget.total is {total}, but there are {len(counts)} classes; raise it, or set it to null for "
            "synthesis.images_per_class of each."
        )
    if budget.allocation == "uniform":
        shares = apportion(total, dict.fromkeys(counts, 1))
    elif budget.allocation == "balance":
        shares = fill_up(total, counts)
    else:
        shares = favour(total, _errors_of(counts, class_errors))
    if budget.quota is not None and budget.quota > max(shares.values()):
        raise ParameterError(
            f"budget.quota is {budget.quota}, but at most {max(shares.values())} images of a class are planned, so "
            "none could meet it; raise synthesis.images_per_class or budget.total, or set the quota to null."
        )
    return shares


def count_images(train: ImageSet) -> dict[str, int]:
    """Images, or objects that count, of each class, in the order of class names."""
    if train.target == "label":
        labels = train.index["label"]
    else:
        labels = pd.Series([label for boxes in train.boxes for label in boxes.counted().labels], dtype=object)
    counts = labels.value_counts()
    return {name: int(counts[name]) for name in train.class_names}


def apportion(total: int, weights: Mapping[str, int | float | Fraction]) -> dict[str, int]:
    """`total` in proportion to `weights`, by largest remainders (Hamilton's method); of equal ones the first wins.

    >>> apportion(10, {"bag": 1, "coat": 1, "shirt": 1})
    {'bag': 4, 'coat': 3, 'shirt': 3}
    """
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    whole = sum(exact.values())
    quotas = {name: total * weight / whole for name, weight in exact.items()}
    shares = {name: int(quota) for name, quota in quotas.items()}
    left = total - sum(shares.values())
    for name in sorted(quotas, key=lambda name: shares[name] - quotas[name])[:left]:
        shares[name] += 1
    return shares


def fill_up(total: int, counts: Mapping[str, int]) -> dict[str, int]:
    """`total` so that it and `counts` together are as equal as can be: the smallest are raised to one level.

    >>> fill_up(10, {"bag": 8, "coat": 2, "shirt": 0})
    {'bag': 0, 'coat': 4, 'shirt': 6}
    """
    ordered = sorted(counts.values())
    level = min(Fraction(total + sum(ordered[:lowest]), lowest) for lowest in range(1, len(ordered) + 1))
    return apportion(total, {name: max(level - count, 0) for name, count in counts.items()})


def favour(total: int, errors: Mapping[str, float]) -> dict[str, int]:
    """`total` in proportion to `errors` once every class has got a floor.

    The floor of C classes is a whole number, `EVEN_SHARE` of `total` / C and at least 1; the rest goes to class c by
    error_c / sum of errors, or evenly where none errs.

    >>> favour(102, {"bag": 0.0, "shirt": 0.5, "coat": 0.25})
    {'bag': 6, 'shirt': 62, 'coat': 34}
    """
    floor = max(1, int(EVEN_SHARE * total / len(errors)))
    weights = errors if any(errors.values()) else dict.fromkeys(errors, 1)
    return {name: floor + share for name, share in apportion(total - floor * len(errors), weights).items()}


def _errors_of(counts: Mapping[str, int], class_errors: pd.DataFrame) -> dict[str, float]:
    """Classes that could not be measured get the mean of the others."""
    if class_errors.empty:
        raise ParameterError(
            "budget.allocation is weakness, but no class has validation images to measure its error on; "
            "set ingestion.split_shares.val, or choose uniform or balance."
        )
    measured = dict(zip(class_errors["class_name"], class_errors["error"], strict=True))
    return {name: measured.get(name, class_errors["error"].mean()) for name in counts}


def no_errors() -> pd.DataFrame:
    """Class errors where the allocation does not ask for them."""
    return pd.DataFrame({"class_name": pd.Series(dtype=str), "error": pd.Series(dtype=float)})
