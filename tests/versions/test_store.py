import pytest
from versions.version_cases import CALIBRATION, CHECKPOINT, IMAGES, MADE, dataset, leave_in_staging, pretend_run

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.versions.store import Store


def test_versions_are_whole_in_staging_or_damaged(opened):
    pretend_run(opened, "r1")
    pretend_run(opened, "r2", day=2, made=(CALIBRATION,))
    staged = leave_in_staging(opened, IMAGES, "r2")
    (dataset(opened, CHECKPOINT, "r1").load_path / "manifest.json").unlink()
    found = {(version.name, version.run_id): version for version in Store(opened).versions()}
    states = {key: version.state for key, version in found.items()}
    complete = dict.fromkeys(((name, "r1") for name in (*MADE, "run_record")), "complete")
    complete |= {(CALIBRATION, "r2"): "complete", ("run_record", "r2"): "complete"}
    assert states == complete | {(CHECKPOINT, "r1"): "damaged", (IMAGES, "r2"): "in staging"}
    assert found[IMAGES, "r2"].place == staged
    assert found[CALIBRATION, "r2"].place == dataset(opened, CALIBRATION, "r2").load_path.parent


def test_files_in_staging_are_found_under_the_version_they_will_be(opened):
    pretend_run(opened, "2026-01-01T00.00.00.000Z", made=())
    artifact = dataset(opened, CALIBRATION, "2026-01-01T00.00.00.000Z")
    artifact.staging_root.mkdir(parents=True)
    artifact.staged_path_of("2026-01-01T00.00.00.000Z").write_text('{"acc')
    for ending in ("lock", "owner"):
        (artifact.staging_root / f"2026-01-01T00.00.00.000Z.{ending}").write_text("")
    (found,) = Store(opened).versions(CALIBRATION)
    assert (found.run_id, found.state) == ("2026-01-01T00.00.00.000Z", "in staging")


def test_runs_are_found_by_id_or_as_the_last_that_was_begun_whatever_the_clock_said(opened):
    pretend_run(opened, "old", day=1, made=(CALIBRATION, IMAGES))
    pretend_run(opened, "between", day=3, made=())
    pretend_run(opened, "new", day=2, made=(CALIBRATION,))
    dataset(opened, CALIBRATION, "by-hand").save({})
    store = Store(opened)
    assert list(store.ledger.runs) == ["new", "between", "old"]
    assert [store.find_run(asked) for asked in ("last", "old", "by-hand")] == ["new", "old", "by-hand"]
    assert [version.name for version in store.find(None, "last")] == [CALIBRATION, "run_record"]
    assert {version.run_id for version in store.find(CALIBRATION, None)} == {"old", "new", "by-hand"}
    assert [version.run_id for version in store.find(IMAGES, "old")] == ["old"]
    with pytest.raises(VersionError, match="no run 'r9' is recorded; the latest are new, between, old"):
        store.find(None, "r9")
    with pytest.raises(VersionError, match=r"no version of 'classification\.imgs' is stored"):
        store.find("classification.imgs", None)


def test_records_tell_who_has_read_what_of_whom_and_who_is_at_work(opened):
    pretend_run(opened, "a", made=(IMAGES,))
    pretend_run(opened, "b", day=2, made=(), read={IMAGES: "a", CALIBRATION: "b"})
    dataset(opened, "run_record", "c").path_of("c").parent.mkdir()
    dataset(opened, "run_record", "c").path_of("c").write_text('{"run_id": "c", "att')
    dataset(opened, "run_record", "d").path_of("d").parent.mkdir()
    copied = dataset(opened, "run_record", "a").load_path.read_text()
    dataset(opened, "run_record", "d").path_of("d").write_text(copied)
    lock = opened.artifact("run_record").lock("b")
    lock.acquire("the test is running")
    ledger = Store(opened).ledger
    lock.release()
    assert ledger.reads == {"a": {}, "b": {IMAGES: "a"}}
    assert (ledger.readers_of("a"), ledger.readers_of("a", IMAGES), ledger.readers_of("a", CALIBRATION)) == (
        ["b"],
        ["b"],
        [],
    )
    assert ledger.held == {"b"}
    assert "JSONDecodeError" in ledger.damaged["c"]
    assert "it is that of run a" in ledger.damaged["d"]
