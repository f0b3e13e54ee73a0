import numpy as np
import pytest
from scipy import stats
from strength_study.study_cases import made_with, measures_table

from diffaug_pipeline.strength_study.summary import MEASURES, Sources, summarize_strengths

CHANCES = {0.2: 0.9, 0.5: 0.85, 1.0: 0.5}


@pytest.fixture
def measures():
    return measures_table(sources=40, samples=3, agreeing=CHANCES)


def test_means_are_those_of_the_pictures(measures):
    summary = summarize_strengths(measures, made_with([0.2, 0.5, 1.0]), 0.02, 0.95)
    assert summary["strength"].tolist() == [0.2, 0.5, 1.0]
    assert summary["pictures"].tolist() == [120] * 3
    real = measures[measures["origin"] == "real"]["agrees"].astype(float).mean()
    for row in summary.itertuples():
        pictures = measures[measures["strength"] == row.strength]
        assert row.agreement == pytest.approx(pictures["agrees"].astype(float).mean())
        assert row.agreement_change == pytest.approx(row.agreement - real)
        assert row.clip_similarity == pytest.approx(pictures["clip_similarity"].mean())
        assert row.ssim == pytest.approx(pictures["ssim"].mean())
        assert row.near_duplicates == pytest.approx((pictures["source_distance"] < 0.02).mean())
        assert row.diversity == pytest.approx(pictures["sibling_distance"].mean())


def test_intervals_are_over_sources(measures):
    summary = summarize_strengths(measures, made_with([0.2, 0.5, 1.0]), 0.02, 0.9)
    of_source = measures[measures["strength"] == 0.5].groupby("source_image_id")["ssim"].mean()
    theirs = stats.ttest_1samp(of_source, 0).confidence_interval(0.9)
    row = summary[summary["strength"] == 0.5].iloc[0]
    assert (row["ssim_low"], row["ssim_high"]) == pytest.approx((theirs.low, theirs.high))
    for measure in MEASURES:
        assert (summary[f"{measure}_low"] <= summary[measure]).all()
        assert (summary[f"{measure}_high"] >= summary[measure]).all()


def test_agreement_is_paired_with_that_of_the_own_source(measures):
    """Of pictures that are right exactly where their source is, the change is known better."""
    real = measures[measures["origin"] == "real"].set_index("image_id")["agrees"]
    synthetic = measures["origin"] == "synthetic"
    follows = measures.copy()
    follows.loc[synthetic, "agrees"] = real[follows.loc[synthetic, "source_image_id"]].to_numpy()
    row = summarize_strengths(follows, made_with([0.2, 0.5, 1.0]), 0.02, 0.95).iloc[0]
    apart = summarize_strengths(measures, made_with([0.2, 0.5, 1.0]), 0.02, 0.95).iloc[0]
    assert row["agreement_change"] == 0
    widths = [one["agreement_change_high"] - one["agreement_change_low"] for one in (row, apart)]
    assert widths[0] < 0.75 * widths[1]


@pytest.mark.parametrize(
    ("scheduler", "steps", "evaluations"),
    [("ddim", 20, [4, 10, 20]), ("pndm", 20, [5, 11, 21]), ("heun", 12, [3, 11, 23]), ("dpmpp_2m", 7, [1, 3, 7])],
)
def test_effective_steps_are_what_the_scheduler_takes(measures, scheduler, steps, evaluations):
    summary = summarize_strengths(measures, made_with([0.2, 0.5, 1.0], scheduler, steps), 0.02, 0.95)
    assert summary["model_evaluations"].tolist() == evaluations


def test_sources_set_the_scale(measures):
    sources = Sources.of(measures, 0.95)
    assert sources.count == 40
    wilson = stats.binomtest(36, 40).proportion_ci(0.95, method="wilson")
    agreement = sources.agreement
    assert (agreement.mean, agreement.low, agreement.high) == pytest.approx((0.9, wilson.low, wilson.high))
    real = measures[measures["origin"] == "real"]
    assert sources.diversity == pytest.approx(real["sibling_distance"].mean())


def test_one_source_per_class_has_no_diversity_to_compare_with(measures):
    lone = measures.assign(sibling_distance=measures["sibling_distance"].where(measures["origin"] != "real"))
    assert np.isnan(Sources.of(lone, 0.95).diversity)
