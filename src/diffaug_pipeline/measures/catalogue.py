"""The measures by name, in the order in which they are shown, and the sets they are taken of."""

from dataclasses import dataclass
from math import inf
from typing import Literal

REAL, MADE, ACCEPTED = "real", "made", "accepted"
SETS = (REAL, MADE, ACCEPTED)
"""`REAL`, in the place of a synthetic set: real pictures other than those compared with, the floor."""
TITLES = {REAL: "other real ones", MADE: "all synthetic", ACCEPTED: "accepted"}


@dataclass(frozen=True)
class Measure:
    """What a value means, and how it is written."""

    title: str
    aspect: Literal["realism", "diversity"]
    smaller_is_better: bool = False
    low: float = -inf
    high: float = inf
    """No value lies outside of `low` and `high`, whatever an interval may be computed to be."""
    scale: float = 1
    digits: int = 3


MEASURES = {
    "kid": Measure("KID", "realism", smaller_is_better=True),
    "cmmd": Measure("CMMD", "realism", smaller_is_better=True),
    "precision": Measure("precision, %", "realism", low=0, high=1, scale=100, digits=1),
    "density": Measure("density", "realism", low=0, digits=2),
    "recall": Measure("recall, %", "diversity", low=0, high=1, scale=100, digits=1),
    "coverage": Measure("coverage, %", "diversity", low=0, high=1, scale=100, digits=1),
    "vendi": Measure("Vendi score", "diversity", low=1, digits=1),
}
"""Those of repeated draws."""
FID = "fid"
"""Of whole sets, where these are large."""
