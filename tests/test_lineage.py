"""Which versions a run takes: never a mixture of unrelated runs."""

from pathlib import Path

import pytest
from kedro.io import DataCatalog, Version
from kedro.pipeline import Node, Pipeline

from diffaug_pipeline.datasets import JSONDataset, RunRecordDataset
from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.lineage import choose_versions, outdate_followers

NAMES = ("images", "plan", "decisions", "verdict")


def catalog(folder: Path, run_id: str) -> DataCatalog:
    datasets = {
        name: JSONDataset(filepath=str(folder / f"{name}.json"), version=Version(None, run_id)) for name in NAMES
    }
    record = RunRecordDataset(filepath=str(folder / "record.json"), version=Version(None, run_id))
    return DataCatalog(datasets | {"run_record": record})


def pretend_run(folder: Path, run_id: str, made: tuple[str, ...], read: dict[str, str] | None = None) -> None:
    stored = catalog(folder, run_id)
    for name in made:
        stored.get(name).save({"made by": run_id})
    stored.get("run_record").save({"run_id": run_id, "versions_read": read or {}})


def judge() -> Pipeline:
    return Pipeline([Node(lambda images, decisions: {}, ["images", "decisions"], "verdict", name="judge")])


def test_what_the_run_makes_or_has_is_its_own(tmp_path):
    pretend_run(tmp_path, "old", ("images", "decisions"))
    pretend_run(tmp_path, "mine", ("images", "decisions"))
    chosen = choose_versions(judge(), catalog(tmp_path, "mine"), "mine")
    assert chosen == dict.fromkeys(("images", "decisions", "verdict"), "mine")


def test_inputs_made_elsewhere_come_from_the_latest_run_that_has_all(tmp_path):
    pretend_run(tmp_path, "first", ("images", "decisions"))
    pretend_run(tmp_path, "second", ("images", "decisions"))
    pretend_run(tmp_path, "only-images", ("images",))
    chosen = choose_versions(judge(), catalog(tmp_path, "new"), "new")
    assert chosen == {"images": "second", "decisions": "second", "verdict": "new"}


def test_a_run_that_read_earlier_artifacts_brings_them_along(tmp_path):
    pretend_run(tmp_path, "data", ("images", "plan"))
    pretend_run(tmp_path, "filtered", ("decisions",), read={"plan": "data"})
    pretend_run(tmp_path, "unrelated", ("images", "plan"))
    chosen = choose_versions(judge(), catalog(tmp_path, "new"), "new")
    assert chosen == {"images": "data", "decisions": "filtered", "verdict": "new"}


def test_unrelated_runs_are_not_mixed(tmp_path):
    pretend_run(tmp_path, "a", ("images",))
    pretend_run(tmp_path, "b", ("decisions",))
    with pytest.raises(VersionError, match=r"no single run provides decisions, images.*decisions:b, images:a"):
        choose_versions(judge(), catalog(tmp_path, "new"), "new")
    asked = {"images": "a", "decisions": "b"}
    assert choose_versions(judge(), catalog(tmp_path, "new"), "new", asked)["images"] == "a"


def test_what_is_read_agrees_with_what_the_run_has_or_the_user_asks_for(tmp_path):
    pretend_run(tmp_path, "mine", ("images",))
    pretend_run(tmp_path, "other", ("images", "decisions"))
    with pytest.raises(VersionError, match="no single run provides decisions"):
        choose_versions(judge(), catalog(tmp_path, "mine"), "mine")
    with pytest.raises(VersionError, match="no single run provides decisions"):
        choose_versions(judge(), catalog(tmp_path, "new"), "new", {"images": "mine"})
    pretend_run(tmp_path, "from-mine", ("decisions",), read={"images": "mine"})
    pretend_run(tmp_path, "newest", ("images", "decisions"))
    assert choose_versions(judge(), catalog(tmp_path, "mine"), "mine")["decisions"] == "from-mine"


def test_what_an_interrupted_run_had_read_it_reads_again_but_makes_its_own_outputs(tmp_path):
    pretend_run(tmp_path, "first", ("images", "decisions"))
    pretend_run(tmp_path, "second", ("images", "decisions"))
    before = {"images": "first", "decisions": "first"}
    assert choose_versions(judge(), catalog(tmp_path, "r"), "r", read_before=before)["images"] == "first"
    with_images = judge() + Pipeline([Node(lambda: {}, None, "images", name="ingest")])
    assert choose_versions(with_images, catalog(tmp_path, "r"), "r", read_before=before)["images"] == "r"


def test_asking_to_read_what_the_run_makes_is_refused(tmp_path):
    with pytest.raises(VersionError, match="names verdict, which this run makes itself"):
        choose_versions(judge(), catalog(tmp_path, "new"), "new", {"verdict": "old"})


def test_what_was_never_made_is_named(tmp_path):
    pretend_run(tmp_path, "a", ("images",))
    with pytest.raises(VersionError, match="no version exists of decisions"):
        choose_versions(judge(), catalog(tmp_path, "new"), "new")


def test_all_that_follows_from_a_missing_artifact_is_made_again(tmp_path):
    chain = Pipeline(
        [
            Node(lambda: {}, None, "images", name="ingest"),
            Node(lambda images: {}, "images", "plan", name="plan"),
            Node(lambda plan: {}, "plan", "decisions", name="decide"),
            Node(lambda decisions: {}, "decisions", "verdict", name="judge"),
        ]
    )
    pretend_run(tmp_path, "r", ("images", "decisions", "verdict"))
    stored = catalog(tmp_path, "r")
    outdate_followers(chain, stored, "r")
    assert [name for name in NAMES if stored.get(name).exists()] == ["images"]
    assert stored.get("verdict").has_version("r")


def test_a_second_process_cannot_run_the_same_id(tmp_path):
    first, second = (catalog(tmp_path, "r").get("run_record").lock("r") for _ in range(2))
    first.acquire("run r is being run")
    with pytest.raises(VersionError, match="run r is being run by process"):
        second.acquire("run r is being run")
    first.release()
    second.acquire("run r is being run")
    second.release()


def judge_with_study() -> Pipeline:
    node = Node(lambda images, study: {}, ["images", "study"], "verdict", name="judge")
    return Pipeline([node])


def with_study(folder: Path, run_id: str) -> DataCatalog:
    stored = catalog(folder, run_id)
    version = Version(None, run_id)
    stored["study"] = JSONDataset(filepath=str(folder / "study.json"), version=version, optional=True)
    return stored


def pretend_study(folder: Path, run_id: str) -> None:
    with_study(folder, run_id).get("study").save({"made by": run_id})


def loaded_study(folder: Path, run_id: str, versions: dict[str, str]) -> dict | None:
    study = with_study(folder, run_id).get("study")
    study.pin(versions["study"])
    return study.load()


def test_an_optional_artifact_is_the_runs_own_or_that_of_the_run_all_else_is_from(tmp_path):
    pretend_run(tmp_path, "old", ("images",))
    pretend_study(tmp_path, "old")
    pretend_run(tmp_path, "mine", ("images",))
    pretend_study(tmp_path, "mine")
    for run_id, expected in (("mine", "mine"), ("new", "mine")):
        chosen = choose_versions(judge_with_study(), with_study(tmp_path, run_id), run_id)
        assert loaded_study(tmp_path, run_id, chosen) == {"made by": expected}


def test_an_optional_artifact_of_another_run_is_left_out(tmp_path):
    pretend_run(tmp_path, "unrelated", ("images",))
    pretend_study(tmp_path, "unrelated")
    pretend_run(tmp_path, "mine", ("images",))
    for run_id in ("mine", "new"):
        chosen = choose_versions(judge_with_study(), with_study(tmp_path, run_id), run_id)
        assert chosen["images"] == "mine"
        assert loaded_study(tmp_path, run_id, chosen) is None


def test_parts_that_share_nothing_may_come_from_runs_of_their_own(tmp_path):
    pretend_run(tmp_path, "a", ("images",))
    pretend_run(tmp_path, "b", ("plan",))
    apart = Pipeline(
        [
            Node(lambda images: {}, "images", "decisions", name="decide"),
            Node(lambda plan: {}, "plan", "verdict", name="judge"),
        ]
    )
    chosen = choose_versions(apart, catalog(tmp_path, "new"), "new")
    assert chosen == {"images": "a", "plan": "b", "decisions": "new", "verdict": "new"}
