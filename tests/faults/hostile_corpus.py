"""All hostile datasets, and a few of each kind."""

from collections.abc import Sequence
from itertools import groupby

from faults.hostile_annotations import hostile_annotations
from faults.hostile_archives import hostile_archives
from faults.hostile_case import Case
from faults.hostile_folders import hostile_folders
from faults.hostile_parquet import hostile_parquet
from faults.hostile_pictures import hostile_pictures
from faults.hostile_syntax import hostile_syntax

ONCE_WENT_WRONG = frozenset(
    {
        "a class called emoji in yolo",
        "a dataset with a name too long",
        "a device as x.xml in voc",
        "a hundred thousand boxes in coco",
        "a link to itself",
        "a lone surrogate in a class in coco",
        "a path that is too long",
        "a path too long in yolo",
        "a picture of infinite size in coco",
        "a pipe as x.csv in csv",
        "a pipe as x.json in coco",
        "a pipe as x.xml in voc",
        "a socket as x.json in coco",
        "a sparse file of a terabyte in coco",
        "one box a hundred thousand times in csv",
        "parquet: a damaged one in a hidden folder",
        "parquet: a folder of that name",
        "parquet: a link outside",
        "parquet: a lone surrogate",
        "parquet: metadata that is no JSON",
        "parquet: metadata without info",
        "parquet: names that are a record",
        "parquet: two hundred rows that share 10 MB",
        "PostScript as png",
        "the list of pictures repeats in yolo",
    }
)
"""Each for a defect that it has shown."""


def hostile_cases() -> list[Case]:
    """Every one, by kind; the same in every session."""
    cases = [*hostile_pictures(), *hostile_folders(), *hostile_archives(), *hostile_parquet()]
    cases += [*hostile_annotations(), *hostile_syntax()]
    return sorted(cases, key=lambda case: case.kind)


def one_in(number: int, cases: Sequence[Case]) -> list[Case]:
    """Of each kind one in `number`, at least one, and those that once went wrong."""
    chosen = {case.name for _, kind in groupby(cases, key=lambda case: case.kind) for case in list(kind)[::number]}
    return [case for case in cases if case.name in chosen | ONCE_WENT_WRONG]
