import logging
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.cli import cli


@pytest.fixture
def doctor(project: Path, tmp_path: Path, monkeypatch):
    """`kedro doctor` on an empty data folder of the smoke environment."""
    bootstrap_project(project)
    monkeypatch.chdir(project)

    def ask(*words: str, params: str = "") -> Result:
        seen = ("--env", "smoke", "--params", f"data_root={tmp_path}{params}")
        return CliRunner().invoke(cli, ["doctor", "--task", "classification", *seen, *words])

    return ask


def test_a_healthy_project_ends_well(doctor):
    done = doctor()
    assert done.exit_code == 0, done.output
    assert "ok       parameters: every block of environment smoke is valid" in done.output
    assert done.output.rstrip().endswith("problems: 0")
    assert not any(line.startswith("problem") for line in done.output.splitlines())
    assert logging.root.manager.disable == logging.NOTSET


def test_problems_end_with_1_and_say_what_to_do(doctor):
    done = doctor(params=",classification.synthesis.device=cuda:3,classification.ingestion.dataset=/nowhere")
    assert done.exit_code == 1
    assert "problem  classification dataset: the dataset '/nowhere' does not exist" in done.output
    assert "problem  classification engine: device is cuda:3" in done.output
    assert done.output.rstrip().endswith("problems: 2")


def test_models_are_really_loaded_if_asked(doctor):
    done = doctor("--load")
    assert done.exit_code == 0, done.output
    assert done.output.count(", loaded") == 4


def test_invalid_parameters_are_all_named_without_a_log(doctor):
    done = doctor(params=",classification.synthesis.eta=7,detection.merging.probability=2")
    assert done.exit_code == 1
    assert "classification.synthesis.eta: " in done.output
    assert "detection.merging.probability: " in done.output
    assert "ERROR" not in done.output
