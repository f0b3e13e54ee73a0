"""What goes wrong on the command line gets one clear answer."""

import json
import re
import shutil

import pytest
from factories import tree_bytes, write_labelled_folder

pytestmark = pytest.mark.slow


def test_every_bad_parameter_is_named_before_anything_runs(tmp_path, kedro_run):
    params = (
        "classification.synthesis.batch_size=0",
        "classification.synthesis.stregth=0.5",
        "classification.merging.policy=replacement",
        "classification.training.steps=many",
    )
    done = kedro_run(tmp_path, "--pipelines", "classification", params=params, check=False)
    assert done.returncode != 0
    printed = done.stdout + done.stderr
    for words in ("batch_size", "stregth", "policy", "steps"):
        assert words in printed
    assert not list(tmp_path.glob("0*/**/*.parquet"))


@pytest.mark.parametrize(
    ("param", "message"),
    [
        ("classification.synthesis.generator=sd16", "there is no generator 'sd16'; there are embedded, sd15"),
        ("classification.prompts.vocabulary=fancy", "there is no vocabulary 'fancy'"),
    ],
)
def test_names_that_do_not_exist_stop_the_run_before_the_dataset_is_read(tmp_path, kedro_run, param, message):
    done = kedro_run(tmp_path, "--pipelines", "classification", params=(param,), check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.glob("02_intermediate/**/*.json"))


def test_a_missing_dataset_is_one_sentence_and_no_traceback(tmp_path, kedro_run):
    done = kedro_run(
        tmp_path, "--pipelines", "classification", params=("classification.ingestion.dataset=/no/such",), check=False
    )
    assert done.returncode == 1
    assert "the dataset '/no/such' does not exist" in done.stderr
    assert "kedro run --resume" in done.stderr
    run_id = re.search(r"--resume (\S+)", done.stderr).group(1)
    last = ("--resume", run_id, "--to-nodes", "classification.ingest_images")
    kedro_run(tmp_path, *last, params=("classification.ingestion.dataset=embedded:fashion_few_shot",))
    assert "Traceback" not in done.stdout + done.stderr


def test_resume_repeats_env_pipelines_and_params_and_refuses_others(tmp_path, kedro_run):
    first = ("--pipelines", "classification", "--to-nodes", "classification.ingest_images", "--run-id", "r1")
    kedro_run(tmp_path, *first, params=("classification.synthesis.seed=7",))
    changed = kedro_run(tmp_path, "--resume", "last", params=("classification.synthesis.seed=8",), check=False)
    assert changed.returncode == 1
    assert "classification.synthesis.seed: 7 then, 8 now" in changed.stderr
    kedro_run(tmp_path, "--resume", "last")
    record = json.loads((tmp_path / "08_reporting" / "run_record.json" / "r1" / "run_record.json").read_text())
    assert record["selection"]["to_nodes"] == ["classification.ingest_images"]
    assert len(record["attempts"]) == 2


def test_other_code_and_other_inputs_are_refused_by_name(tmp_path, kedro_run):
    dataset, data = tmp_path / "pictures", tmp_path / "data"
    write_labelled_folder(dataset)
    first = ("--pipelines", "classification", "--to-nodes", "classification.ingest_images", "--run-id", "r1")
    params = (f"classification.ingestion.dataset={dataset}",)
    kedro_run(data, *first, params=params)
    picture = dataset / "polar bear" / "IMG 0003.JPG"
    content = picture.read_bytes()
    picture.write_bytes(content + b" ")
    changed = kedro_run(data, "--resume", "r1", check=False)
    assert changed.returncode == 1
    assert f"{picture} has changed since it was written\nput them back" in changed.stderr
    picture.write_bytes(content)
    file = data / "08_reporting" / "run_record.json" / "r1" / "run_record.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"code_digests": record["code_digests"] | {"hooks.py": "another"}}))
    changed = kedro_run(data, "--resume", "r1", check=False)
    assert changed.returncode == 1
    assert "run r1 was begun with other code" in changed.stderr
    assert "hooks.py has changed" in changed.stderr
    assert "Traceback" not in changed.stdout + changed.stderr
    file.write_text(json.dumps(record))
    kedro_run(data, "--resume", "r1")


def test_a_node_cut_off_between_two_outputs_runs_again(tmp_path, kedro_run):
    first = ("--pipelines", "classification", "--to-nodes", "classification.ingest_images", "--run-id", "r1")
    kedro_run(tmp_path, *first)
    before = tree_bytes(tmp_path / "02_intermediate")
    shutil.rmtree(tmp_path / "02_intermediate" / "classification" / "ingestion_report.json")
    kedro_run(tmp_path, "--resume", "r1")
    after = tree_bytes(tmp_path / "02_intermediate")
    assert {name: content for name, content in after.items() if ".staging" not in name} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--resume", "last"), "no run has been recorded yet"),
        (("--resume", "r1", "--run-id", "r2"), "both name the run"),
        (("--only-missing-outputs",), "would mix versions of different runs"),
        (("--env", "smok"), "conf/smok; check --env"),
        (("--runner", "ThreadRunner"), "leave it out: heavy nodes use all cores by themselves"),
        (("--pipelines", "classification", "--from-nodes", "classification.filter_images"), "no version exists of"),
    ],
)
def test_impossible_wishes_are_explained(tmp_path, kedro_run, words, message):
    done = kedro_run(tmp_path, *words, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
