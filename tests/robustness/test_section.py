import re

import pytest
from PIL import Image
from robustness.robustness_cases import document

from diffaug_pipeline.evaluation.sections import Section
from diffaug_pipeline.robustness.figures import draw_reliability, draw_robustness
from diffaug_pipeline.robustness.section import describe


def words(html: str) -> str:
    """What a reader sees, on one line."""
    visible = re.sub(r"<(script|style)>.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", visible).split())


def section(**how) -> Section:
    return describe(document(**how), Image.new("RGB", (60, 40), "navy"))


def test_the_summary_says_who_stands_corruption_better():
    assert section().summary.startswith(
        "Under 2 corruptions top-1 accuracy is on average 54.0 % for real_only and 64.0 % for augmented: +10.0 points ["
    )
    assert "synthetic images help there. On clean images confidence and accuracy are" in section().summary
    assert "synthetic images hurt there" in section(better_by=-0.1).summary
    assert "whether synthetic images help there is open" in section(better_by=0.0).summary


def test_everything_measured_is_told():
    text = words(section().html)
    assert "500 real test images under 2 corruptions" in text
    assert "at severities 1, 5" in text
    assert "mean corruption error (mCE), % of that of real_only 100.0" in text
    assert "relative mCE" in text
    assert "jpeg compression 1 70.0 80.0 +10.0" in text
    assert "data:image/jpeg;base64," in section().html


def test_detectors_have_no_corruption_error():
    text = words(section(metric="map_50_95").html)
    assert "mPC and rPC" in text
    assert "mCE" not in text
    assert "less confident than 0.3 do not count" in text


def test_the_figure_shows_all_arms_under_all_corruptions():
    shown = document()
    figure = draw_robustness(shown)
    arms = {trace.name: trace for trace in figure.data if trace.type == "scatter"}
    assert arms.keys() == {"real_only", "augmented"}
    assert arms["augmented"].y == ("clean", "mean of all", "fog", "jpeg compression")
    assert arms["real_only"].x == pytest.approx([81, 54, 46.5, 61.5])
    [differences] = [trace for trace in figure.data if trace.type == "bar"]
    assert differences.x == pytest.approx([0.5, 10, 10, 10])


def test_reliability_has_a_point_per_bin_with_answers():
    shown = document()
    figure = draw_reliability(shown)
    lines = {trace.name: trace for trace in figure.data if trace.type == "scatter"}
    for arm, of_arm in shown["calibration"]["arms"].items():
        filled = [row for row in of_arm["reliability"] if row["answers"]]
        assert lines[arm].y == pytest.approx([100 * row["accuracy"] for row in filled])
    shares = [sum(trace.y) for trace in figure.data if trace.type == "bar"]
    assert shares == pytest.approx([100, 100])


def test_networks_that_are_never_confident_are_told():
    shown = document()
    shown["calibration"]["arms"]["augmented"]["expected_calibration_error"] = {"mean": None, "values": [None, 0.1]}
    described = describe(shown, Image.new("RGB", (60, 40)))
    assert "Calibration is not known: some networks are never confident enough." in described.summary
    assert "augmented –" in words(described.html)
