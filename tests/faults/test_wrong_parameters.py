"""Wrong parameters stop a run before its first node and before anything is written, all of them named at once.

Each alone, too: one in nine of them, all with `DIFFAUG_FAULTS=full`.
"""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from commands import kedro_run_command
from faults.scale import FULL
from kedro.framework.startup import bootstrap_project
from kedro.validation.exceptions import ParameterValidationError
from omegaconf import OmegaConf

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.session import RunSession
from diffaug_pipeline.wrong_parameters import describe_wrong_parameters

pytestmark = pytest.mark.slow

WRONG: dict[str, Any] = {
    # misspelt
    "clasification.training.steps": 5,
    "classification.sinthesis.mode": "text_to_image",
    "classification.synthesis.strenght": 0.5,
    "classification.training.augmentation.horizontal_flips": True,
    "classification.filtering.clip_score.quantil": 0.1,
    "detection.trainin.steps": 5,
    "detection.merging.probabilty": 0.5,
    "detection.labelling.composition.feather": 1,
    "generators.embedded.licens": "MIT",
    "scheduler_study.study.halfs": 3,
    "robustnes": {},
    "pretraining.pol": {"seed": 1},
    # of a wrong type
    "classification.training.steps": "many",
    "classification.training.seeds": 3,
    "classification.ingestion.dataset": 5,
    "classification.ingestion.images_per_class": 5,
    "classification.prompts.wording": "cat",
    "classification.features.scorer.templates": "a photo",
    "classification.merging.seed": 1.5,
    "classification.evaluation.confidence": "high",
    "detection.training.augmentation": None,
    "detection.filtering.rules": "leakage",
    "detection.ingestion.min_box_px": "small",
    "detection.labelling.images": [10],
    "detection.budget.total": {"bag": 5},
    "detection.synthesis.allow_unknown_classes": "perhaps",
    "vocabularies.garments.templates": 7,
    "strength_study.study": 5,
    # out of range
    "classification.ingestion.seed": -1,
    "classification.ingestion.split_shares.val": 0.5,
    "classification.ingestion.max_megapixels": 0,
    "classification.ingestion.near_duplicate_distance": 2,
    "classification.synthesis.num_inference_steps": 0,
    "classification.synthesis.eta": 1.5,
    "classification.synthesis.images_per_class": -5,
    "classification.synthesis.strength": 1.01,
    "classification.training.learning_rate": -0.1,
    "classification.training.batch_size": 0,
    "classification.evaluation.minimum_effect": -1,
    "classification.merging.probability": 1.5,
    "classification.measures.draws": 0,
    "classification.auditing.false_alarm_rate": 7,
    "detection.training.input_size_px": 100,
    "detection.ingestion.duplicate_iou": 0,
    "detection.labelling.composition.min_visible": 3,
    "detection.dose_response.real_shares": [0.5, 1.5],
    "detection.robustness.severities": [0, 9],
    # no choice
    "classification.synthesis.mode": "telepathy",
    "classification.synthesis.scheduler": "dpm",
    "classification.training.architecture": "resnet19",
    "classification.filtering.selection.policy": "best",
    "classification.ingestion.format": "zip",
    "detection.labelling.strategy": "magic",
    "detection.synthesis.fit": "squeeze",
    # no number
    "classification.references.steps": float("nan"),
    "detection.auditing.false_alarm_rate": float("inf"),
}
CONTRADICTORY: dict[str, tuple[Any, str]] = {
    "classification.training.warmup_steps": (10_000, "must be less than steps"),
    "detection.training.warmup_steps": (10_000, "must be less than steps"),
    "classification.filtering.rules": (["near_duplicates", "blank"], "near_duplicates"),
    "detection.filtering.rules": (["blank", "blank"], "blank stands in the list more than once"),
    "detection.synthesis.output_size": ("source", "image_to_image"),
    "detection.labelling.composition.min_objects": (9, "min_objects (9) is more than max_objects"),
    "classification.measures.nearest_neighbours": (10_000, "10000 nearest neighbours"),
    "classification.dose_response.ratios": ([1, 2], "ratios must ascend from 0"),
    "classification.robustness.severities": ([3, 3], "named once only"),
    "vocabularies.garments.templates": (["a picture"], "does not contain {class_name}"),
    "pretraining.clip.loop.warmup_steps": (10_000, "must be less than steps"),
}
"""Of one block, and what is said of them; pydantic looks for such where the values of a block are valid one by one."""
FIT_NOT_TOGETHER: dict[str, tuple[Any, str]] = {
    "classification.synthesis.generator": ("sd16", "there is no generator 'sd16'"),
    "detection.prompts.vocabulary": ("fancy", "there is no vocabulary 'fancy'"),
    "detection.budget.quota": (5, "detection.budget.quota is 5"),
    "detection.merging.policy": ("loss_weight", "Ultralytics' loss knows no weights"),
    "detection.labelling.strategy": ("pseudo_labelling", "add undeclared_objects"),
    "detection.filtering.rules": (["leakage"], "add undeclared_objects"),
}
"""Of different blocks."""


@pytest.fixture(autouse=True, scope="module")
def bootstrapped(project) -> None:
    bootstrap_project(project)


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Blocks in blocks, from dotted names."""
    blocks: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        place = blocks
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return blocks


def run(project: Path, data_root: Path, env: str = "smoke", conf_source: Path | None = None, **parameters: Any) -> None:
    with RunSession.create(project_path=project, env=env, conf_source=conf_source) as session:
        session.run(pipeline_names=["__default__"], runtime_params={"data_root": str(data_root), **parameters})


def said_when_run(*arguments: Any, **options: Any) -> list[str]:
    with pytest.raises(ParameterValidationError) as refusal:
        run(*arguments, **options)
    return describe_wrong_parameters(refusal.value)


def unnamed(names: Iterable[str], said: list[str]) -> list[str]:
    """Those that no sentence begins with; nor with what is above them, if that is not known, or below."""
    told = [sentence.split(":")[0] for sentence in said]
    return [
        name
        for name in names
        if not any(f"{name}.".startswith(f"{place}.") or place.startswith(f"{name}.") for place in told)
    ]


def files_below(folder: Path) -> list[Path]:
    """At any depth."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_all_wrong_parameters_are_named_at_once(project, tmp_path):
    said = said_when_run(project, tmp_path / "data", **nested(WRONG))
    assert len(WRONG) >= 50
    assert unnamed(WRONG, said) == []
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("name", [*WRONG] if FULL else [*WRONG][::9])
def test_each_wrong_parameter_is_named_alone(project, tmp_path, name):
    said = said_when_run(project, tmp_path / "data", **nested({name: WRONG[name]}))
    assert unnamed([name], said) == []
    assert len(said) <= 2
    assert files_below(tmp_path) == []


def test_all_contradictions_within_blocks_are_named_at_once(project, tmp_path):
    said = said_when_run(project, tmp_path, **nested({name: value for name, (value, _) in CONTRADICTORY.items()}))
    for name, (_, words) in CONTRADICTORY.items():
        block = ".".join(name.split(".")[:2])
        assert any(sentence.startswith(block) and words in sentence for sentence in said), name
    assert files_below(tmp_path) == []


def test_all_choices_that_do_not_fit_together_are_named_at_once(project, tmp_path):
    with pytest.raises(ParameterError) as refusal:
        run(project, tmp_path, **nested({name: value for name, (value, _) in FIT_NOT_TOGETHER.items()}))
    assert [words for _, words in FIT_NOT_TOGETHER.values() if words not in str(refusal.value)] == []
    assert files_below(tmp_path) == []


def test_lists_in_place_of_keys_are_named(project, tmp_path):
    wrong = {"classification.ingestion.images_per_class": [5], "classification.prompts.wording": ["cat"]}
    (said,) = said_when_run(project, tmp_path / "data", **nested(wrong))
    assert said == f"{', '.join(wrong)}: a list stands where conf/base has keys"
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("env", ["local", "smoke"])
def test_wrong_parameters_in_files_are_named(project, tmp_path, env):
    conf = Path(shutil.copytree(project / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local")))
    (conf / env).mkdir(exist_ok=True)
    file = conf / env / "parameters.yml"
    values = OmegaConf.merge(OmegaConf.load(file) if file.exists() else {}, nested(WRONG))
    OmegaConf.save(values, file)
    said = said_when_run(project, tmp_path / "data", env, conf)
    assert unnamed(WRONG, said) == []
    assert not (tmp_path / "data").exists()


def test_a_command_names_them_without_a_traceback(project, tmp_path):
    wrong = ("classification.training.stepz=5", "detection.ingestion.seed=-1", "clasification.seed=1")
    command = kedro_run_command(tmp_path / "data", params=wrong)
    finished = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "3 parameters are not valid" in finished.stderr
    for said in ("classification.training.stepz: ", "detection.ingestion.seed: ", "clasification: there is no such"):
        assert said in finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    assert not (tmp_path / "data").exists()
