"""Every piece is done once, whoever is lost; what cannot be done ends the work with a sentence."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from engines.handlers import Failing, Mortal, SlowlyMortal, Sociable, Squares, Stillborn

from diffaug_pipeline.engines.engine import Engine, Team
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.engines.sharing import Work, check_in_sight, share_out
from diffaug_pipeline.errors import WorkerError

PIECES = [1, 2, 3, 4, 5, 7, 11]


def squared(engine: Engine, handler: Callable) -> dict[int, tuple[int, int]]:
    done = {}
    share_out(Work("squares", PIECES, handler, lambda number: (number,), lambda *made: done.update([made])), engine)
    return done


def lives(folder, count: int) -> str:
    for number in range(count):
        (folder / str(number)).touch()
    return str(folder)


def test_every_piece_is_done_and_every_worker_takes_part(tmp_path):
    done = squared(LocalProcesses([str(tmp_path)] * 2), Sociable)
    assert {number: square for number, (square, _) in done.items()} == {number: number**2 for number in PIECES}
    assert len({pid for _, pid in done.values()}) == 2


def test_the_pieces_of_a_lost_worker_are_done_by_others_while_those_go_on(tmp_path, caplog):
    folder = lives(tmp_path, 1)
    done = squared(LocalProcesses([folder, folder]), Mortal)
    assert {number: square for number, (square, _) in done.items()} == {number: number**2 for number in PIECES}
    assert caplog.text.count("A worker process was killed") == 1


def test_an_idle_worker_takes_over_from_a_lost_one_that_nobody_replaces(tmp_path):
    class Short(LocalProcesses):
        """Starts two workers, and then none that answers."""

        @contextmanager
        def start(self, most: int):
            with super().start(most) as team:
                starting = [team.hire(), team.hire()]
                yield Team(
                    team.setups, lambda: starting.pop() if starting else SimpleNamespace(submit=lambda *_: Future())
                )

    folder, done = lives(tmp_path, 1), {}
    work = Work("squares", [1, 2, 3], SlowlyMortal, lambda number: (number,), lambda *made: done.update([made]))
    share_out(work, Short([folder, folder]))
    assert sorted(done) == [1, 2, 3]


def test_a_piece_that_kills_whoever_takes_it_ends_the_work_and_the_others_are_done(tmp_path):
    folder, done = lives(tmp_path, 9), {}
    work = Work("squares", PIECES, Mortal, lambda number: (number,), lambda *made: done.update([made]))
    with pytest.raises(WorkerError, match="squares: workers are killed before they finish anything; most likely mem"):
        share_out(work, LocalProcesses([folder, folder]))
    assert len(list(tmp_path.iterdir())) == 6
    assert sorted(done) == [number for number in PIECES if number != 3]


def test_workers_that_never_begin_end_the_work():
    with pytest.raises(WorkerError, match="workers are killed before they finish anything"):
        squared(LocalProcesses(["a"]), Stillborn)


def test_an_error_ends_the_work_once_what_is_at_hand_is_finished():
    done = {}
    work = Work("squares", PIECES, Failing, lambda number: (number,), lambda *made: done.update([made]))
    with pytest.raises(ArithmeticError, match="too hard"):
        share_out(work, LocalProcesses(["a"]))
    assert {1, 2} <= set(done) <= {1, 2, 4}


def test_an_error_where_results_are_taken_ends_the_work_at_once():
    def take(*_: object) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        share_out(Work("squares", PIECES, Squares, lambda number: (number,), take), LocalProcesses(["a"]))


def test_a_machine_without_the_shared_folder_is_named(tmp_path):
    check_in_sight(tmp_path)
    with pytest.raises(WorkerError, match=r"does not see .*nowhere\. All machines of a cluster need .* shared storage"):
        check_in_sight(tmp_path / "nowhere")
