import numpy as np
import pandas as pd
import pytest
from filtering.filter_cases import filtering_options, scene_options

from diffaug_pipeline.filtering.selection import select

JUDGED = pd.DataFrame(
    {
        "image_id": list("abcdefgh"),
        "label": ["cat", "cat", "cat", "cat", "cat", "dog", "dog", "dog"],
        "clip_score": [0.9, 0.5, 0.7, 0.6, 0.8, 0.1, 0.3, 0.2],
        "zero_shot_margin": [0.1, 0.9, 0.2, 0.3, 0.2, 0.5, 0.5, 0.5],
    }
)
STANDING = np.array([False, True, True, True, True, True, True, True])
"""All but the best cat."""


def taken(**selection: object) -> str:
    chosen = select(JUDGED, STANDING, filtering_options(selection=selection).selection)
    return "".join(JUDGED.loc[chosen, "image_id"])


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"policy": "threshold"}, "bcdefgh"),
        ({"policy": "threshold", "cap_per_class": 3}, "cdefgh"),
        ({"policy": "top_k", "top_k": 2}, "cegh"),
        ({"policy": "top_k", "top_k": 9}, "bcdefgh"),
        ({"policy": "top_k", "top_k": 3, "cap_per_class": 1}, "eg"),
        ({"policy": "top_share", "top_share": 0.5}, "cegh"),  # 2 of 4 cats; of 3 dogs one and a half are two
        ({"policy": "top_share", "top_share": 0.01}, "eg"),
        ({"policy": "top_share", "top_share": 1.0}, "bcdefgh"),
        ({"policy": "top_share", "top_share": 1.0, "cap_per_class": 2}, "cegh"),
        ({"policy": "top_k", "top_k": 2, "score": "zero_shot_margin"}, "bdfg"),  # of equal dogs the first ones
    ],
)
def test_each_policy_takes_the_best_of_each_class_that_pass(selection, expected):
    assert taken(**selection) == expected


def test_a_share_that_comes_out_even_takes_no_image_more():
    scores = pd.DataFrame({"label": "cat", "clip_score": np.arange(30.0)})
    tenth = filtering_options(selection={"policy": "top_share", "top_share": 0.1}).selection
    assert np.flatnonzero(select(scores, np.ones(30, bool), tenth)).tolist() == [27, 28, 29]


def test_scenes_are_selected_among_all():
    scenes = JUDGED.drop(columns="label")
    chosen = select(scenes, STANDING, scene_options(selection={"policy": "top_k", "top_k": 3}).selection)
    assert "".join(scenes.loc[chosen, "image_id"]) == "cde"
    capped = select(scenes, STANDING, scene_options(selection={"cap": 1}).selection)
    assert "".join(scenes.loc[capped, "image_id"]) == "e"


def test_scenes_that_show_only_what_a_person_labelled_come_first():
    scenes = JUDGED.drop(columns="label").assign(clip_score=[0.9, 0.5, np.nan, 0.6, 0.8, 0.1, 0.3, 0.2])
    chosen = select(scenes, STANDING, scene_options(selection={"policy": "top_k", "top_k": 2}).selection)
    assert "".join(scenes.loc[chosen, "image_id"]) == "ce"


def test_where_nothing_passes_nothing_is_taken():
    nobody = np.zeros(len(JUDGED), bool)
    assert not select(JUDGED, nobody, filtering_options(selection={"policy": "top_k"}).selection).any()
