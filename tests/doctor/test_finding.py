import pytest

from diffaug_pipeline.doctor.finding import Finding, examine, problem_of
from diffaug_pipeline.errors import DiskSpaceError

FINE = Finding("ok", "all is well")


def raising(error: Exception):
    def check():
        yield FINE
        raise error

    return check


def test_a_check_that_raises_is_a_problem_and_the_others_go_on():
    found = list(examine({"first": raising(ZeroDivisionError("by\n zero")), "second": lambda: [FINE]}))
    broken = Finding("problem", "this could not be looked at (ZeroDivisionError: by zero)")
    assert found == [("first", FINE), ("first", broken), ("second", FINE)]


def test_an_error_of_ours_says_what_to_do_itself():
    wrapped = RuntimeError("dataset failed")
    wrapped.__cause__ = DiskSpaceError("the disk is full; make room.")
    assert problem_of(wrapped) == Finding("problem", "the disk is full; make room.")


def test_who_interrupts_is_not_kept():
    with pytest.raises(KeyboardInterrupt):
        list(examine({"slow": raising(KeyboardInterrupt())}))
