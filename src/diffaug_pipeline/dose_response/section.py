"""The study's part of the report."""

from typing import Any

from diffaug_pipeline.dose_response.figure import draw_dose_response
from diffaug_pipeline.evaluation.comparison import METRIC_TITLES
from diffaug_pipeline.evaluation.sections import Section, render_section
from diffaug_pipeline.evaluation.wording import in_points


def describe(document: dict[str, Any]) -> Section:
    """From the document of `dose_response.findings`."""
    worth = describe_worth(document["worth"])
    return render_section(
        "diffaug_pipeline.dose_response",
        "dose_response_section.html.jinja",
        {"dose": draw_dose_response(document)},
        "How many synthetic images",
        f"{describe_dose(document)} {worth}",
        document=document,
        metric=METRIC_TITLES[document["metric"]],
        worth=worth,
    )


def describe_dose(document: dict[str, Any]) -> str:
    """The dose to use and what it gains, in a sentence."""
    chosen = next(dose for dose in document["doses"] if dose["ratio"] == document["chosen_ratio"])
    if not chosen["ratio"]:
        return "Use real images alone: no dose of synthetic ones is clearly better on validation images."
    confirmed, gain = document["confirmation"], chosen["gain"]
    return (
        f"Use {chosen['ratio']:g} synthetic image{'s' * (chosen['ratio'] != 1)} per real one, "
        f"{chosen['share']:.0%} of every batch: {in_points(gain['mean'], *gain['interval'])} on the "
        f"validation images that chose it, {in_points(confirmed['delta'], *confirmed['interval'])} on test images, "
        f"{confirmed['verdict']}."
    )


def describe_worth(worth: dict[str, Any]) -> str:
    """What that is worth in real images, in a sentence."""
    if not worth["shown"]:
        return f"Worth in extra real images: none that could be shown ({worth['reason']})."
    most = f"more than {worth['limit']:,}"
    images, low, high = (most if number is None else f"{number:,}" for number in (worth["images"], *worth["interval"]))
    about = images if images == most else f"about {images}"
    interval = "" if low == most else f" (interval {low} to {high})"
    return (
        f"Worth {about} extra real images{interval}, if the learning curve over real images goes on as fitted: an "
        "extrapolation."
    )
