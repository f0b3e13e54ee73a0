import json

import pandas as pd
import pytest
from strength_study.study_cases import made_with, measures_table, study_options

from diffaug_pipeline.strength_study.recommendation import Recommendation, recommend
from diffaug_pipeline.strength_study.summary import summarize_strengths

STRENGTHS = [0.2, 0.4, 0.6, 0.8]


def summary_of(change: list[tuple[float, float]], near_duplicates_high: list[float]) -> pd.DataFrame:
    """Bounds of the change in agreement, and the upper one of near duplicates, by strength."""
    return pd.DataFrame(
        {
            "strength": STRENGTHS,
            "agreement_change_low": [low for low, _ in change],
            "agreement_change_high": [high for _, high in change],
            "near_duplicates_high": near_duplicates_high,
        }
    )


FINE, DOUBTFUL, LOST = (-0.03, 0.03), (-0.08, 0.02), (-0.3, -0.1)


@pytest.mark.parametrize(
    ("change", "near_duplicates", "strengths", "new_from", "lost_from", "undecided", "title"),
    [
        ([FINE, FINE, FINE, LOST], [0.9, 0.05, 0.0, 0.0], [0.4, 0.6], 0.4, 0.8, [], "Strengths 0.4 and 0.6"),
        ([FINE, FINE, LOST, LOST], [0.9, 0.05, 0.0, 0.0], [0.4], 0.4, 0.6, [], "Strength 0.4"),
        ([FINE, DOUBTFUL, LOST, LOST], [0.9, 0.9, 0.0, 0.0], [], 0.6, 0.6, [0.4], "No strength qualifies"),
        ([FINE, DOUBTFUL, FINE, FINE], [0.0] * 4, [0.2, 0.6, 0.8], 0.2, None, [0.4], "Strengths 0.2, 0.6 and 0.8"),
        ([FINE, LOST, FINE, DOUBTFUL], [0.0] * 4, [0.2], 0.2, 0.4, [], "Strength 0.2"),
        ([FINE] * 4, [0.05, 0.5, 0.05, 0.0], [0.6, 0.8], 0.6, None, [], "Strengths 0.6 and 0.8"),
        ([FINE] * 4, [0.9] * 4, [], None, None, [], "No strength qualifies"),
        ([(-0.05, 0.1)] * 4, [0.1] * 4, STRENGTHS, 0.2, None, [], "Strengths 0.2 to 0.8"),
        ([DOUBTFUL] * 4, [0.0] * 4, [], 0.2, None, STRENGTHS, "No strength qualifies"),
    ],
)
def test_recommended_is_what_lies_between_copies_and_lost_classes(
    change, near_duplicates, strengths, new_from, lost_from, undecided, title
):
    found = recommend(summary_of(change, near_duplicates), study_options())
    assert (found.strengths, found.new_from, found.lost_from) == (strengths, new_from, lost_from)
    assert found.undecided == undecided
    assert found.title == title


def test_reasons_say_it_in_words():
    found = recommend(summary_of([FINE, DOUBTFUL, FINE, LOST], [0.9, 0.05, 0.0, 0.0]), study_options())
    assert found.reasons == [
        "From 0.4 on, at most 10 % of the pictures are near duplicates of their source.",
        "At 0.8 class agreement falls by more than 5 points below that of the real sources; from there on, nothing is "
        "recommended.",
        "Undecided: 0.4. There class agreement may have fallen by more than 5 points, or by less; more sources would "
        "tell.",
    ]
    everywhere = recommend(summary_of([FINE] * 4, [0.9] * 4), study_options(agreement_tolerance=0.04))
    assert everywhere.reasons == [
        "At no strength is it shown that at most 10 % of the pictures are near duplicates of their source.",
        "At no strength is class agreement shown to fall by more than 4 points below that of the real sources.",
    ]


def test_it_survives_as_json():
    found = recommend(summary_of([FINE, FINE, DOUBTFUL, LOST], [0.9, 0.05, 0.0, 0.0]), study_options())
    assert Recommendation(**json.loads(json.dumps(found.document()))) == found


@pytest.mark.parametrize(("sources", "decided"), [(20, False), (400, True)])
def test_few_sources_are_no_evidence_that_the_class_is_kept(sources, decided):
    measures = measures_table(sources, samples=4, agreeing={0.3: 0.9, 0.6: 0.9, 0.9: 0.4})
    summary = summarize_strengths(measures, made_with([0.3, 0.6, 0.9]), 0.02, 0.95)
    found = recommend(summary, study_options())
    assert found.strengths == ([0.6] if decided else [])
    assert found.undecided == ([] if decided else [0.3, 0.6])
    assert found.lost_from == 0.9
