import shutil
import threading
from pathlib import Path

import pytest
from factories import Maker, plan, planned, tree_bytes
from versions.version_cases import (
    CALIBRATION,
    CHECKPOINT,
    DECISIONS,
    HISTORY,
    IMAGES,
    MADE,
    REAL,
    REPORT,
    dataset,
    leave_in_staging,
    pretend_run,
    stored,
)

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.datasets.locking import Lock
from diffaug_pipeline.errors import DiskSpaceError, VersionError
from diffaug_pipeline.versions.pruning import plan_pruning, prune
from diffaug_pipeline.versions.sizes import measure
from diffaug_pipeline.versions.store import Store
from diffaug_pipeline.versions.verification import verify

SMALL = (CALIBRATION, DECISIONS)


def prune_all_but(project, keep, *, with_reports=False):
    store = Store(project)
    planned = plan_pruning(store, keep, with_reports=with_reports)
    prune(store, planned)
    return planned


def occupied_bytes(folder: Path) -> int:
    found = [path.lstat() for path in folder.rglob("*") if not path.is_dir()]
    return sum({each.st_ino: each.st_size for each in found}.values())


def test_the_newest_stay_and_whatever_they_have_read_or_go_back_to(opened):
    pretend_run(opened, "data", 1, made=SMALL)
    pretend_run(opened, "filtered", 2, made=SMALL, read={REAL: "data"})
    pretend_run(opened, "unrelated", 3, made=SMALL)
    pretend_run(opened, "studied", 4, made=SMALL, read={DECISIONS: "filtered", CALIBRATION: "studied"})
    pretend_run(opened, "newest", 5, made=SMALL)
    planned = prune_all_but(opened, 2)
    assert planned.kept == {
        "newest": "one of the 2 newest",
        "studied": "one of the 2 newest",
        "filtered": "studied has read it",
        "data": "filtered has read it",
    }
    assert list(planned.going) == ["unrelated"]
    for run_id in planned.kept:
        assert stored(opened, run_id) == {*SMALL, "run_record"}
    assert stored(opened, "unrelated") == {CALIBRATION, "run_record"}
    assert opened.version_of(REAL, "studied") is None
    assert opened.version_of(DECISIONS, "studied") == "studied"


def test_of_a_pruned_run_only_its_history_stays_which_says_so_in_its_old_place(opened):
    pretend_run(opened, "old", 1)
    pretend_run(opened, "new", 2)
    prune_all_but(opened, 1)
    assert stored(opened, "old") == set(HISTORY)
    assert stored(opened, "new") == {*MADE, "run_record"}
    assert Store(opened).ledger.runs["old"].status == "pruned"
    assert "pruned" in opened.artifact("run_record").read("old")
    assert opened.run_ids() == ["new", "old"]
    again = plan_pruning(Store(opened), 1, with_reports=False)
    assert (again.going, again.places) == ({}, [])


def test_a_run_without_anything_to_delete_is_pruned_with_what_it_has_read(opened):
    pretend_run(opened, "data", 1, made=SMALL)
    pretend_run(opened, "studied", 2, made=(REPORT,), read={DECISIONS: "data"})
    pretend_run(opened, "new", 3, made=SMALL)
    assert list(prune_all_but(opened, 1).going) == ["studied", "data"]
    assert {run_id: run.status for run_id, run in Store(opened).ledger.runs.items()} == {
        "new": "finished",
        "studied": "pruned",
        "data": "pruned",
    }
    assert not plan_pruning(Store(opened), 1, with_reports=False).is_needed


def test_pruned_runs_are_not_counted_among_the_newest(opened):
    for day, run_id in enumerate(("a", "b", "c"), start=1):
        pretend_run(opened, run_id, day, made=SMALL)
    prune_all_but(opened, 1)
    pretend_run(opened, "d", 4, made=SMALL)
    assert list(plan_pruning(Store(opened), 2, with_reports=False).kept) == ["d", "c"]


def test_with_reports_a_run_is_forgotten_also_one_that_was_pruned_before(opened):
    pretend_run(opened, "first", 1)
    pretend_run(opened, "second", 2)
    prune_all_but(opened, 1)
    pretend_run(opened, "third", 3)
    prune_all_but(opened, 1, with_reports=True)
    assert {version.run_id for version in Store(opened).versions()} == {"third"}


def test_what_is_said_to_be_freed_is_freed_and_linked_images_stay_whole(opened):
    pretend_run(opened, "old", 1, images=6)
    pretend_run(opened, "new", 2, images=9)
    linked = [path for path in dataset(opened, IMAGES, "new").load().index["path"] if Path(path).stat().st_nlink == 2]
    assert len(linked) == 6
    expected = measure(plan_pruning(Store(opened), 1, with_reports=True).places)
    before = occupied_bytes(opened.data_root)
    prune_all_but(opened, 1, with_reports=True)
    assert before - occupied_bytes(opened.data_root) == expected.freed_bytes
    assert expected.bytes - expected.freed_bytes == sum(Path(path).stat().st_size for path in linked)
    assert list(verify(Store(opened)).problems) == []


def test_a_run_that_is_being_run_stays_with_what_it_reads(opened):
    pretend_run(opened, "data", 1, made=SMALL)
    pretend_run(opened, "at-work", 2, made=SMALL, read={DECISIONS: "data"}, statuses=(None,))
    pretend_run(opened, "new", 3, made=SMALL)
    staged = leave_in_staging(opened, IMAGES, "at-work")
    lock = opened.artifact("run_record").lock("at-work")
    lock.acquire("the test is running")
    planned = prune_all_but(opened, 1)
    lock.release()
    assert planned.kept == {"new": "the newest", "at-work": "is being run", "data": "at-work has read it"}
    assert staged.exists()
    assert stored(opened, "data") == {*SMALL, "run_record"}


def test_what_a_run_has_begun_to_need_since_is_spared(opened):
    pretend_run(opened, "data", 1, made=SMALL)
    pretend_run(opened, "other", 2, made=SMALL)
    pretend_run(opened, "new", 3, made=SMALL)
    store = Store(opened)
    planned = plan_pruning(store, 1, with_reports=False)
    assert planned.going.keys() == {"data", "other"}
    pretend_run(opened, "begun", 4, made=(), read={DECISIONS: "data"}, statuses=(None,))
    prune(store, planned)
    assert DECISIONS in stored(opened, "data")
    assert DECISIONS not in stored(opened, "other")


def test_nothing_is_deleted_while_a_run_settles_what_it_reads(opened):
    pretend_run(opened, "data", 1, made=SMALL)
    pretend_run(opened, "new", 2, made=SMALL)
    with opened.artifact("run_record").settling():
        pruning = threading.Thread(target=prune_all_but, args=(opened, 1))
        pruning.start()
        pruning.join(timeout=0.5)
        assert pruning.is_alive()
        pretend_run(opened, "begun", 3, made=(), read={DECISIONS: "data"}, statuses=(None,))
    pruning.join()
    assert DECISIONS in stored(opened, "data")


def test_staging_goes_with_its_run_or_once_nobody_can_go_on_with_it(opened):
    pretend_run(opened, "pruned", 1, made=SMALL)
    pretend_run(opened, "killed", 2, made=SMALL, statuses=(None,))
    pretend_run(opened, "resumed-otherwise", 3, made=SMALL, statuses=(None, "finished"))
    pretend_run(opened, "published", 4, made=(IMAGES,), statuses=("failed",))
    pretend_run(opened, "finished", 5, made=SMALL)
    runs = ("pruned", "killed", "resumed-otherwise", "published", "finished", "nobodys", "being-written")
    staged = {run_id: leave_in_staging(opened, IMAGES, run_id) for run_id in runs}
    lock = opened.artifact(IMAGES).lock("being-written")
    lock.acquire("the test is writing")
    prune_all_but(opened, 4)
    lock.release()
    left = {run_id for run_id, path in staged.items() if path.exists()}
    assert left == {"killed", "resumed-otherwise", "being-written"}


def test_an_interrupted_run_that_stays_goes_on_with_what_it_had_made(opened):
    pretend_run(opened, "old", 1, made=SMALL)
    pretend_run(opened, "interrupted", 2, made=SMALL, statuses=("interrupted",))
    with pytest.raises(Exception, match="out of memory"):
        dataset(opened, IMAGES, "interrupted").save(planned(plan(8), Maker(fail_at_batch=1)))
    prune_all_but(opened, 1)
    maker = Maker()
    dataset(opened, IMAGES, "interrupted").save(planned(plan(8), maker))
    assert len(maker.made) == 4


def test_the_users_own_files_stay_also_where_a_version_links_to_them(opened):
    pretend_run(opened, "old", 1)
    pretend_run(opened, "new", 2, made=SMALL)
    photos = opened.data_root / "photos"
    before = tree_bytes(photos)
    (dataset(opened, IMAGES, "old").load_path / "photos").symlink_to(photos)
    elsewhere = opened.data_root / "elsewhere"
    shutil.move(dataset(opened, CHECKPOINT, "old").load_path.parent, elsewhere)
    dataset(opened, CHECKPOINT, "old").path_of("old").parent.symlink_to(elsewhere)
    prune_all_but(opened, 1, with_reports=True)
    assert tree_bytes(photos) == before
    assert (elsewhere / "checkpoint" / "weights").read_text() == "of old"
    assert not any(Store(opened).versions(run_id="old"))


def test_a_full_disk_that_holds_not_even_a_lock_is_no_obstacle(opened, monkeypatch):
    pretend_run(opened, "old", 1)
    pretend_run(opened, "new", 2, made=SMALL)
    places, acquire = plan_pruning(Store(opened), 1, with_reports=False).places, Lock.acquire

    def acquire_where_there_is_room(lock: Lock, what: str) -> None:
        if all(place.exists() for place in places):
            raise DiskSpaceError("the disk is full")
        acquire(lock, what)

    monkeypatch.setattr(Lock, "acquire", acquire_where_there_is_room)
    prune_all_but(opened, 1)
    assert stored(opened, "old") == set(HISTORY)
    assert Store(opened).ledger.runs["old"].status == "pruned"


def test_versions_of_no_recorded_run_are_left_alone_and_named(opened):
    dataset(opened, CALIBRATION, "by-hand").save({})
    pretend_run(opened, "new", 1, made=SMALL)
    planned = prune_all_but(opened, 1, with_reports=True)
    assert [version.run_id for version in planned.unrecorded] == ["by-hand"]
    assert stored(opened, "by-hand") == {CALIBRATION}


def test_a_damaged_record_stops_all_as_what_its_run_needs_is_not_known(opened):
    pretend_run(opened, "old", 1, made=SMALL)
    pretend_run(opened, "new", 2, made=SMALL)
    dataset(opened, "run_record", "new").load_path.write_text('{"run_id": "new", "vers')
    with pytest.raises(
        VersionError, match=r"cannot be read.*\nwhat such a run needs is not known, so nothing is pruned"
    ):
        plan_pruning(Store(opened), 1, with_reports=False)


@pytest.mark.parametrize("survived", range(6))
def test_whoever_dies_in_between_leaves_nothing_half_there_and_the_next_pruning_ends_it(opened, monkeypatch, survived):
    """Killed before one of three renames, or in the middle of one of three deletions."""
    pretend_run(opened, "old", 1, made=(IMAGES, DECISIONS, REPORT))
    pretend_run(opened, "new", 2, made=SMALL)
    leave_in_staging(opened, CHECKPOINT, "old")
    steps, discard, rmtree = iter(range(survived)), VersionedArtifact.discard, shutil.rmtree

    def discard_until_killed(artifact: VersionedArtifact, path: Path) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        discard(artifact, path)

    def delete_until_killed(folder: Path) -> None:
        if next(steps, None) is None:
            next(path for path in folder.rglob("*") if path.is_file()).unlink()
            raise KeyboardInterrupt
        rmtree(folder)

    with monkeypatch.context() as patched:
        patched.setattr(VersionedArtifact, "discard", discard_until_killed)
        patched.setattr(shutil, "rmtree", delete_until_killed)
        with pytest.raises(KeyboardInterrupt):
            prune_all_but(opened, 1)
    left = Store(opened)
    assert left.ledger.runs["old"].status == "pruned"
    assert {version.state for version in left.versions(run_id="old")} <= {"complete", "in staging"}
    assert list(verify(left).problems) == []
    prune_all_but(opened, 1)
    assert stored(opened, "old") == {REPORT, "run_record"}
    assert list(opened.data_root.glob("0*/**/.discarded")) == []
    assert list(opened.data_root.glob("0*/**/.staging/old*")) == []
