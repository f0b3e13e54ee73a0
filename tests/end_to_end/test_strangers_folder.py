"""A folder of JPEGs as a stranger has it goes to a report with one YAML edit."""

import json
import shutil
import subprocess

import pytest
from commands import kedro_run_command
from factories import smooth_image
from omegaconf import OmegaConf

pytestmark = pytest.mark.slow
EDIT = """
classification:
  ingestion:
    dataset: {dataset}
  synthesis: {{mode: image_to_image, strength: 0.3}}
"""


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "my photos"
    for label, color in (("red panda", "firebrick"), ("polar bear", "ivory"), ("garden gnome", "seagreen")):
        folder = root / label
        folder.mkdir(parents=True)
        for number in range(12):
            picture = smooth_image(f"{label}{number}", (90 + 37 * number, 200 - 11 * number))
            picture.paste(color, (10, 10, 60, 50))
            picture.save(folder / f"IMG {number:04d}.JPG", quality=88)
    whole = (root / "red panda" / "IMG 0000.JPG").read_bytes()
    (root / "red panda" / "cut off.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "polar bear" / "empty.jpg").write_bytes(b"")
    (root / "garden gnome" / "notes.jpg").write_text("not a picture at all")
    return root


def test_from_jpegs_to_a_report(photos, project, environment, tmp_path):
    conf = tmp_path / "conf"
    shutil.copytree(project / "conf", conf, ignore=shutil.ignore_patterns("local"))
    parameters = conf / "smoke" / "parameters.yml"
    edit = OmegaConf.create(EDIT.format(dataset=json.dumps(str(photos))))
    OmegaConf.save(OmegaConf.merge(OmegaConf.load(parameters), edit), parameters)
    words = ("--conf-source", str(conf), "--pipelines", "classification", "--run-id", "mine")
    done = subprocess.run(
        kedro_run_command(tmp_path / "data", *words),
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert "never taught" in done.stdout + done.stderr
    reporting = tmp_path / "data" / "08_reporting" / "classification"
    page = (reporting / "report.html" / "mine" / "report.html").read_text()
    for words in ("red panda", "garden gnome", "only knows", "sd15", "cut off.jpg", "the file is empty", "notes.jpg"):
        assert words in page
    comparison = json.loads((reporting / "comparison.json" / "mine" / "comparison.json").read_text())
    assert comparison["per_class"].keys() == {"garden gnome", "polar bear", "red panda"}
    assert comparison["zero_shot"] is None
