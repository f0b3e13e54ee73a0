import json
from pathlib import Path

import pytest
from factories import tree_bytes
from versions.version_cases import (
    CALIBRATION,
    CHECKPOINT,
    DECISIONS,
    IMAGES,
    MADE,
    REAL,
    REPORT,
    TRAINING_SET,
    dataset,
    pretend_run,
)

from diffaug_pipeline.datasets import checksums
from diffaug_pipeline.versions import verification
from diffaug_pipeline.versions.pruning import plan_pruning, prune
from diffaug_pipeline.versions.store import Store
from diffaug_pipeline.versions.verification import verify

FLIPPED = "has changed since it was written"


@pytest.fixture
def run(opened):
    pretend_run(opened, "r1")
    return lambda name: dataset(opened, name, "r1").load_path


def flip(path: Path) -> Path:
    """One bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    return path


def problems(project) -> list[str]:
    return list(verify(Store(project)).problems)


def test_all_is_well(opened, run):
    found = verify(Store(opened))
    assert (found.versions, list(found.problems), list(found.changed_sources)) == (len(MADE) + 1, [], [])
    assert found.unrecorded == []
    assert found.size.files == sum(len(tree_bytes(run(name).parent)) for name in (*MADE, "run_record"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (IMAGES, "images/000000/recipe000003.png"),
        (IMAGES, "index.parquet"),
        (IMAGES, "contact_sheet.png"),
        (IMAGES, "batches.json"),
        (IMAGES, "manifest.json"),
        (TRAINING_SET, "index.parquet"),
        (CHECKPOINT, "weights"),
        (CHECKPOINT, "manifest.json"),
        (DECISIONS, ""),
        (CALIBRATION, ""),
        (REPORT, ""),
    ],
)
def test_one_flipped_bit_is_found_in_any_file(opened, run, name, file):
    victim = flip(run(name) / file)
    assert f"{victim} {FLIPPED}" in problems(opened)


def test_what_is_gone_is_found(opened, run):
    (run(IMAGES) / "images" / "000000" / "recipe000001.png").unlink()
    (run(CHECKPOINT) / "manifest.json").unlink()
    run(REPORT).unlink()
    assert sorted(problems(opened)) == sorted(
        f"{path} is missing"
        for path in (
            run(IMAGES) / "images" / "000000" / "recipe000001.png",
            run(CHECKPOINT) / "manifest.json",
            run(REPORT),
        )
    )


def test_what_does_not_belong_there_is_found(opened, run):
    strangers = [
        run(IMAGES) / "images" / "000000" / "another.png",
        run(CHECKPOINT) / "deeper" / "manifest.json",
        run(REPORT).parent / "notes.txt",
    ]
    for path in strangers:
        path.parent.mkdir(exist_ok=True)
        path.write_text("not of this run")
    assert sorted(problems(opened)) == sorted(f"{path} was not there when the rest was written" for path in strangers)


def test_an_index_that_cannot_be_read_is_named_with_what_is_wrong(opened, run):
    (run(IMAGES) / "index.parquet").write_bytes(b"PAR1 and no more")
    (named,) = (problem for problem in problems(opened) if str(run(IMAGES)) in problem)
    assert named.startswith(f"{run(IMAGES)} cannot be understood (ArrowInvalid")


def test_a_training_set_misses_images_that_another_version_held(opened, run):
    lost = run(IMAGES) / "images" / "000000" / "recipe000001.png"
    lost.unlink()
    alone = dataset(opened, TRAINING_SET, "r1").verify()
    assert alone == [f"{lost} is missing"]


def test_the_users_own_files_are_reported_apart(opened, run):
    pretend_run(opened, "r2", day=2, made=(REAL, CALIBRATION))
    photos = opened.data_root / "photos"
    changed = flip(photos / "cat-train-0.png")
    (photos / "dog-test-0.png").unlink()
    (photos / "new one.png").write_bytes(b"")
    found = verify(Store(opened))
    assert list(found.problems) == []
    assert sorted(found.changed_sources) == [f"{changed} {FLIPPED}", f"{photos / 'dog-test-0.png'} is missing"]


def test_files_without_a_recorded_checksum_are_counted_as_not_checked(opened, run):
    record = opened.artifact("run_record").read("r1")
    for node in record["nodes"].values():
        for output in node["outputs"].values():
            del output["sha256"]
    dataset(opened, "run_record", "r1").save(record)
    flip(run(DECISIONS))
    flip(run(CHECKPOINT) / "weights")
    found = verify(Store(opened))
    assert list(found.problems) == [f"{run(CHECKPOINT) / 'weights'} {FLIPPED}"]
    assert set(found.unrecorded) == {run(name) for name in (DECISIONS, CALIBRATION, REPORT)}


def test_a_damaged_record_is_a_problem_of_its_run_alone(opened, run):
    pretend_run(opened, "r2", day=2, made=(CALIBRATION,))
    dataset(opened, "run_record", "r2").load_path.write_text(json.dumps({"run_id": "r2"}))
    assert list(verify(Store(opened), "r1").problems) == []
    (named,) = verify(Store(opened), "r2").problems
    assert "run_record.json cannot be read (KeyError: 'attempts')" in named


def test_only_the_run_asked_for_is_read(opened, run):
    pretend_run(opened, "r2", day=2, made=(DECISIONS,))
    victim = flip(run(DECISIONS))
    assert list(verify(Store(opened), "r2").problems) == []
    assert list(verify(Store(opened), "r1").problems) == [f"{victim} {FLIPPED}"]


def test_what_is_pruned_in_staging_or_being_run_is_not_missed(opened, run):
    pretend_run(opened, "interrupted", day=2, made=(IMAGES,), statuses=("interrupted",))
    made_again = dataset(opened, IMAGES, "interrupted")
    made_again.outdate()
    with pytest.raises(RuntimeError, match="killed"), made_again.staging():
        raise RuntimeError("killed")
    pretend_run(opened, "at-work", day=3, made=(DECISIONS,), statuses=(None,))
    flip(dataset(opened, DECISIONS, "at-work").load_path)
    store = Store(opened)
    prune(store, plan_pruning(store, 2, with_reports=False))
    lock = opened.artifact("run_record").lock("at-work")
    lock.acquire("the test is running")
    found = verify(Store(opened))
    lock.release()
    assert (list(found.problems), found.running) == ([], {"at-work"})


def test_a_picture_that_versions_share_is_read_once(opened, run, monkeypatch):
    pretend_run(opened, "r2", day=2, made=(IMAGES,))
    read = []

    def noting(path):
        read.append(path)
        return checksums.sha256_of(path)

    monkeypatch.setattr(verification, "sha256_of", noting)
    found = verify(Store(opened))
    pictures = [path for path in read if path.stem.startswith("recipe")]
    assert len(pictures) == 6
    assert found.size.files > len(read)
    victim = flip(dataset(opened, IMAGES, "r2").load_path / "images" / "reused-0-0000" / "recipe000002.png")
    assert set(problems(opened)) == {
        f"{victim} {FLIPPED}",
        f"{run(IMAGES) / 'images' / '000000' / 'recipe000002.png'} {FLIPPED}",
    }
