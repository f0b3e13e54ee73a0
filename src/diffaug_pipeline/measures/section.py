"""The measures as a part of the report."""

from typing import Any

from diffaug_pipeline.evaluation.sections import Section, render_section
from diffaug_pipeline.measures.catalogue import ACCEPTED, FID, MADE, MEASURES, REAL, TITLES
from diffaug_pipeline.measures.figure import draw_measures

TITLE = "Realism and diversity of the synthetic set"


def describe(document: dict[str, Any]) -> Section:
    """The section of the measures' document (`measures.measure_synthetic_images`)."""
    return render_section(
        "diffaug_pipeline.measures",
        "measures_section.html.jinja",
        {"measures": draw_measures(document)},
        TITLE,
        summarize(document),
        document=document,
        options=document["options"],
        measures=MEASURES,
        titles=TITLES,
        why_no_fid=_why_no_fid(document),
    )


def summarize(document: dict[str, Any]) -> str:
    """One sentence: which way the filter moved the set, as far as intervals tell, and how far it is from real ones."""
    counts, fewest, pictures = document["counts"], document["options"]["min_images"], document["pictures"]
    few = [
        f"{counts[name]} {adjective} {pictures}"
        for name, adjective in ((REAL, "real"), (MADE, "synthetic"))
        if counts[name] < fewest
    ]
    if few:
        return f"Not measured: {' and '.join(few)} are too few, {fewest} of each are needed."
    distances = {name: values["kid"] for name, values in document["sets"].items()}
    if distances[ACCEPTED] is None:
        return (
            f"KID to real {pictures} is {_write(distances[MADE])} where real ones get {_write(distances[REAL])}; "
            f"{counts[ACCEPTED]} accepted {pictures} are too few to be measured."
        )
    return (
        f"The filter {_describe_change(document['change'])}; KID to real {pictures} is {_write(distances[ACCEPTED])} "
        f"after and {_write(distances[MADE])} before it, where real ones get {_write(distances[REAL])}."
    )


def _describe_change(change: dict[str, Any]) -> str:
    """E.g. `raised realism (KID, precision) and lowered diversity (recall)`: only what intervals tell from none."""
    moved: dict[tuple[str, str], list[str]] = {}
    for name, value in change.items():
        measure = MEASURES[name]
        if not value["low"] <= 0 <= value["high"]:
            verb = "raised" if (value["mean"] > 0) != measure.smaller_is_better else "lowered"
            moved.setdefault((verb, measure.aspect), []).append(measure.title.removesuffix(", %"))
    phrases = [f"{verb} {aspect} ({', '.join(titles)})" for (verb, aspect), titles in moved.items()]
    return " and ".join(phrases) or "changed neither realism nor diversity by more than chance would"


def _write(value: dict[str, Any]) -> str:
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _why_no_fid(document: dict[str, Any]) -> str | None:
    """What FID lacks; null where it is shown."""
    counts, fewest = document["counts"], document["options"]["min_images_for_fid"]
    if document["sets"][MADE][FID] is not None:
        return None
    return (
        f"FID is not shown: it takes {fewest:,} {document['pictures']} on both sides, and there are "
        f"{counts[REAL]:,} real and {counts[MADE]:,} synthetic ones; with fewer it mostly tells how many they are."
    )
