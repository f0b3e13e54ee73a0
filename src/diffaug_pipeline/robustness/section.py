"""The study's part of the report."""

from typing import Any

from PIL import Image

from diffaug_pipeline.evaluation.comparison import BASELINE, METRIC_TITLES, TREATMENT
from diffaug_pipeline.evaluation.galleries import large_source
from diffaug_pipeline.evaluation.sections import Section, render_section
from diffaug_pipeline.evaluation.wording import in_points
from diffaug_pipeline.robustness.figures import draw_reliability, draw_robustness
from diffaug_pipeline.robustness.summary import LEAST_ADDED_ERROR

ERROR_TITLES = {
    "mean_corruption_error": "mean corruption error (mCE), % of that of real_only",
    "relative_mean_corruption_error": "relative mCE: only errors that corruption adds, % of those of real_only",
}


def describe(document: dict[str, Any], sheet: Image.Image) -> Section:
    """From the document of the study (`robustness.summary`) and its sheet."""
    title = METRIC_TITLES[document["metric"]]
    rows = {
        f"{title}, clean, %": document["clean"],
        f"{title}, mean of all corruptions, %": document["corrupted"],
        "the same, % of clean": document["retained"],
    } | {heading: document[name] for name, heading in ERROR_TITLES.items() if document[name] is not None}
    return render_section(
        "diffaug_pipeline.robustness",
        "robustness_section.html.jinja",
        {"robustness": draw_robustness(document), "reliability": draw_reliability(document)},
        "Robustness and calibration",
        f"{summarize(document)} {summarize_calibration(document)}",
        document=document,
        metric=title,
        rows=rows,
        least_added_error=LEAST_ADDED_ERROR,
        sheet=large_source(sheet),
    )


def summarize(document: dict[str, Any]) -> str:
    """One sentence: what corruptions leave of the metric, and how the arms differ."""
    arms, change = document["corrupted"]["arms"], document["corrupted"]["difference"]
    low, high = change["interval"]
    words = (
        "whether synthetic images help there is open"
        if low <= 0 <= high
        else f"synthetic images {'help' if low > 0 else 'hurt'} there"
    )
    return (
        f"Under {len(document['corruptions'])} corruptions {METRIC_TITLES[document['metric']]} is on average "
        f"{100 * arms[BASELINE]['mean']:.1f} % for {BASELINE} and {100 * arms[TREATMENT]['mean']:.1f} % for "
        f"{TREATMENT}: "
        f"{in_points(change['mean'], low, high)}, {words}."
    )


def summarize_calibration(document: dict[str, Any]) -> str:
    """One sentence: how far confidence is from accuracy."""
    arms = document["calibration"]["arms"]
    errors = {arm: arms[arm]["expected_calibration_error"]["mean"] for arm in (BASELINE, TREATMENT)}
    if None in errors.values():
        return "Calibration is not known: some networks are never confident enough."
    return (
        f"On clean images confidence and accuracy are {100 * errors[BASELINE]:.1f} points apart for {BASELINE} and "
        f"{100 * errors[TREATMENT]:.1f} for {TREATMENT}."
    )
