import pandas as pd
from filtering.filter_cases import ask, evidence, filtering_options

from diffaug_pipeline.filtering.rules import leakage


def test_what_the_audit_takes_for_a_copy_of_a_held_out_image_fails():
    copies = pd.DataFrame({"held_out_distance": [0.3, 0.01, 0.02], "is_held_out_copy": [False, True, False]})
    judged = ask(leakage, evidence(["cat"] * 3, copies=copies), {}, filtering_options())
    assert judged["held_out_distance"].tolist() == [0.3, 0.01, 0.02]
    assert judged["passes"].tolist() == [True, False, True]
