import re

import pytest
from click.testing import CliRunner, Result
from versions.version_cases import (
    CALIBRATION,
    CHECKPOINT,
    DECISIONS,
    IMAGES,
    MADE,
    dataset,
    leave_in_staging,
    pretend_run,
    stored,
)

from diffaug_pipeline.commands.versions import versions
from diffaug_pipeline.project import Project


@pytest.fixture
def kedro_versions(opened: Project):
    def run(*words: str, **options) -> Result:
        seen = ("--env", "smoke", "--params", f"data_root={opened.data_root}")
        return CliRunner().invoke(versions, [*words, *seen], **options)

    return run


def columns(printed: str) -> list[dict[str, str]]:
    """Rows of a table by column, cut where its heading says."""
    heading, *rows = printed.splitlines()[:-1]
    names = re.split("  +", heading)
    starts = [heading.index(name) for name in names]
    cells = [slice(start, end) for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return [{name: row[cell].strip() for name, cell in zip(names, cells, strict=True)} for row in rows]


def test_runs_are_listed_with_what_they_take_and_who_needs_them(opened, kedro_versions):
    pretend_run(opened, "old", 1)
    pretend_run(opened, "new", 2, made=(IMAGES,), read={CHECKPOINT: "old"}, statuses=(None,), images=8)
    leave_in_staging(opened, CHECKPOINT, "new")
    dataset(opened, CALIBRATION, "by-hand").save({})
    new, old, by_hand = columns(kedro_versions("ls").output)
    assert (new["run"], new["status"], new["artifacts"], new["staged"]) == ("new", "killed", "2", "1")
    assert (new["reads"], new["read by"]) == ("old", "–")
    assert (old["run"], old["status"], old["artifacts"], old["read by"]) == (
        "old",
        "finished",
        str(len(MADE) + 1),
        "new",
    )
    assert (by_hand["run"], by_hand["status"], by_hand["age"]) == ("by-hand", "no record", "–")
    assert old["age"].endswith(" d")


def test_versions_of_one_artifact_or_one_run_are_listed(opened, kedro_versions):
    pretend_run(opened, "old", 1)
    pretend_run(opened, "new", 2, made=(IMAGES, DECISIONS), images=8)
    new, old = columns(kedro_versions("ls", "--artifact", IMAGES).output)
    assert (new["run"], new["reused"], old["run"], old["reused"]) == ("new", "6", "old", "0")
    assert new["sha256"] == dataset(opened, IMAGES, "new").digest[:12]
    listed = columns(kedro_versions("ls", "--run", "last").output)
    assert [row["artifact"] for row in listed] == [DECISIONS, IMAGES, "run_record"]


def test_an_empty_data_folder_says_so(opened, kedro_versions):
    assert kedro_versions("ls").output == f"no run has stored anything in {opened.data_root}.\n"
    failed = kedro_versions("show", "last")
    assert (failed.exit_code, failed.output) == (1, "Error: no run 'last' is recorded; the latest are none.\n")


def test_one_run_is_shown_with_what_it_read_and_who_read_it(opened, kedro_versions):
    pretend_run(opened, "a", 1)
    pretend_run(opened, "b", 2, made=(DECISIONS,), read={IMAGES: "a"})
    shown = kedro_versions("show", "b").output
    assert "run b: finished\n  started 2026-01-02 12:00 UTC\n" in shown
    assert f"  has read {IMAGES} of a\n" in shown
    assert f"  {IMAGES} has been read by b\n" in kedro_versions("show", "a").output


def test_one_artifact_is_shown_with_the_checksums_of_its_files(opened, kedro_versions):
    pretend_run(opened, "a", 1)
    shown = dict(line.split(None, 1) for line in kedro_versions("show", "a", CHECKPOINT).output.splitlines())
    assert shown["path"] == str(dataset(opened, CHECKPOINT, "a").load_path)
    assert shown["sha256"] == dataset(opened, CHECKPOINT, "a").digest
    # As sha256sum has it of the four characters.
    assert shown["weights"] == "44625108b765cba608de59e81977de42deb702f776a7309f649085cbf570af1b"


def test_pruning_says_what_goes_what_stays_and_why_and_does_it(opened, kedro_versions):
    pretend_run(opened, "data", 1, made=(IMAGES,))
    pretend_run(opened, "other", 2, made=(IMAGES,), images=8)
    pretend_run(opened, "new", 3, made=(CALIBRATION,), read={IMAGES: "data"})
    said = kedro_versions("prune", "--keep", "1", "--dry-run").output
    assert "goes:\n  other  2026-01-02 12:00  1 version " in said
    assert "stays:\n  new   the newest\n  data  new has read it\n" in said
    assert "are linked from what stays" in said
    assert stored(opened, "other") == {IMAGES, "run_record"}
    done = kedro_versions("prune", "--keep", "1", "--yes")
    assert (done.exit_code, done.output) == (0, f"{said}deleted.\n")
    assert stored(opened, "other") == {"run_record"}
    assert kedro_versions("prune", "--keep", "1", "--yes").output.endswith("nothing goes.\n")


def test_it_asks_before_it_deletes_and_without_a_terminal_deletes_nothing(opened, kedro_versions, monkeypatch):
    pretend_run(opened, "old", 1, made=(IMAGES,))
    pretend_run(opened, "new", 2, made=(IMAGES,))
    refused = kedro_versions("prune", "--keep", "1")
    assert refused.exit_code == 2
    assert "there is no terminal to ask on; give --yes" in refused.output
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    assert kedro_versions("prune", "--keep", "1", input="n\n").exit_code == 1
    assert stored(opened, "old") == {IMAGES, "run_record"}
    assert kedro_versions("prune", "--keep", "1", input="y\n").exit_code == 0
    assert stored(opened, "old") == {"run_record"}


def test_verifying_ends_with_one_where_something_is_wrong(opened, kedro_versions):
    pretend_run(opened, "a", 1)
    pretend_run(opened, "b", 2, made=(DECISIONS,))
    path = dataset(opened, CALIBRATION, "a").load_path
    path.write_text("{}")
    well = kedro_versions("verify")
    assert (well.exit_code, well.output.splitlines()[-1][:21]) == (0, "versions: 2; files: 2")
    for words in (("verify", "a"), ("verify", "--all")):
        wrong = kedro_versions(*words)
        assert wrong.exit_code == 1
        assert wrong.output.startswith(f"{path} has changed since it was written\n")
        assert wrong.output.endswith("Error: not all is as it was written; see above.\n")


def test_files_of_the_users_own_are_no_error(opened, kedro_versions):
    pretend_run(opened, "a", 1)
    photo = opened.data_root / "photos" / "cat-train-0.png"
    photo.unlink()
    found = kedro_versions("verify")
    assert (found.exit_code, found.output.splitlines()[0]) == (0, f"input: {photo} is missing")
