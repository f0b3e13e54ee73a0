"""A run is finished with what it was begun with, or not at all."""

import pytest

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.resume import MOST_NAMED, refuse_changes
from diffaug_pipeline.run_environment import WITHOUT_PART_IN_RUNS, code_digests

PARAMETERS = {"classification": {"synthesis": {"seed": 1, "workers": 2, "engine": "local"}}, "data_root": "here"}
CODE = {"merging/arms.py": "1", "synthesis/options.py": "2"}
LIBRARIES = {"torch": "2.14.1", "ultralytics": None}
RECORD = {
    "run_id": "r1",
    "parameters": PARAMETERS,
    "code_digests": CODE,
    "attempts": [{"code": {"commit": "abc", "changed": False}, "libraries": LIBRARIES}],
}


def test_the_same_again_goes_on_also_elsewhere_and_with_more_workers():
    moved = {"classification": {"synthesis": {"seed": 1, "workers": None, "engine": "ray"}}, "data_root": "there"}
    refuse_changes(RECORD, moved, CODE, LIBRARIES)


def test_all_that_differs_is_named():
    parameters = {"classification": {"synthesis": {"seed": 2, "workers": 2, "engine": "local"}}, "data_root": "here"}
    code = {"merging/arms.py": "9", "merging/doses.py": "3"}
    with pytest.raises(VersionError) as error:
        refuse_changes(RECORD, parameters, code, {"torch": "2.15.0", "ultralytics": "8.4"})
    assert str(error.value).splitlines() == [
        "run r1 was begun with other parameters:",
        "  classification.synthesis.seed: 1 then, 2 now",
        "run r1 was begun with other code (commit abc):",
        "  merging/arms.py has changed",
        "  synthesis/options.py is gone",
        "  merging/doses.py is new",
        "run r1 was begun with other libraries:",
        "  torch: 2.14.1 then, 2.15.0 now",
        "  ultralytics: None then, 8.4 now",
        "resume it with those, or start a new run, which reuses its images.",
    ]


def test_a_long_list_is_cut():
    code = {f"module_{number}.py": "1" for number in range(MOST_NAMED + 5)}
    with pytest.raises(VersionError, match=r"and 7 more"):
        refuse_changes(RECORD, PARAMETERS, code, LIBRARIES)


def test_code_is_what_runs_compute_with():
    digests = code_digests()
    assert {"hooks.py", "synthesis/synthesize.py", "evaluation/templates/classification.html.jinja"} <= digests.keys()
    assert not {path for path in digests if path.split("/")[0] in WITHOUT_PART_IN_RUNS}
    assert {len(digest) for digest in digests.values()} == {12}
