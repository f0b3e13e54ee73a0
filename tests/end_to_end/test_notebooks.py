"""The notebooks run from top to bottom on a finished run, and lie in the repository without what they showed."""

import base64
import json
from pathlib import Path

import nbformat
import pytest
from long_runs import FINISHED_RUN as RUN
from nbclient import NotebookClient

from diffaug_pipeline.evaluation.comparison import describe_comparison

NOTEBOOKS = ("01_look_at_a_run", "02_try_schedulers", "03_bring_your_own_dataset")
ON_THIS_MACHINE = ("/home/", "/root/", "/tmp/", "/Users/", "C:\\")
MOST_CELLS = 18


def notebook(project: Path, name: str) -> nbformat.NotebookNode:
    return nbformat.read(project / "notebooks" / f"{name}.ipynb", as_version=4)


@pytest.fixture
def execute(project, classification_run, tmp_path, monkeypatch):
    """Runs a notebook and then `question`, which prints JSON; returns its answer and the outputs of all cells."""
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"):
        folder = tmp_path / variable
        folder.mkdir()
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setenv("DIFFAUG_DATA_ROOT", str(classification_run.data_root))

    def run(name: str, question: str) -> tuple[dict, list[nbformat.NotebookNode]]:
        executed = notebook(project, name)
        executed.cells.append(nbformat.v4.new_code_cell(question))
        NotebookClient(executed, timeout=120, resources={"metadata": {"path": str(project / "notebooks")}}).execute()
        shown = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
        return json.loads(shown[-1].text), shown

    return run


def test_there_is_no_other_notebook(project):
    assert sorted(path.stem for path in (project / "notebooks").glob("*.ipynb")) == sorted(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_without_paths_of_a_machine(project, name):
    stored = notebook(project, name)
    nbformat.validate(stored)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert 3 < len(code) < len(stored.cells) <= MOST_CELLS
    assert all(cell.outputs == [] and cell.execution_count is None and cell.metadata == {} for cell in code)
    text = "\n".join(cell.source for cell in stored.cells)
    assert not [place for place in (*ON_THIS_MACHINE, str(project)) if place in text]


@pytest.mark.slow
def test_looking_at_a_run_shows_what_its_artifacts_say(execute, classification_run):
    question = "print(pd.Series({'run': run_id, 'rejected': len(rejected), 'of': len(decisions)}).to_json())"
    answer, shown = execute("01_look_at_a_run", question)
    reporting = classification_run.data_root / "08_reporting" / "classification"
    comparison = json.loads((reporting / "comparison.json" / RUN / "comparison.json").read_text())
    said = "".join(output.text for output in shown if output.output_type == "stream")
    for line in describe_comparison("classification", comparison):
        assert line in said
    assert answer["run"] == RUN
    assert 0 < answer["rejected"] < answer["of"] == 80
    sheet = classification_run.data_root / "04_synthetic" / "classification" / "synthetic_images" / RUN
    pictures = [base64.b64decode(output.data["image/png"]) for output in shown if "image/png" in output.get("data", {})]
    assert (sheet / "synthetic_images" / "contact_sheet.png").read_bytes() in pictures
    assert len([output for output in shown if "application/vnd.plotly.v1+json" in output.get("data", {})]) == 2


@pytest.mark.slow
def test_schedulers_draw_from_the_same_noise_and_approach_the_long_run(execute):
    question = "print(table.assign(seeds=plan.groupby('cell')['seed'].agg(tuple).nunique()).T.to_json())"
    answer, _ = execute("02_try_schedulers", question)
    distances = {cell: row["gray levels from the long run"] for cell, row in answer.items()}
    for sampler in ("ddim, eta 0", "pndm", "dpmpp_2m"):
        assert 0 < distances[f"{sampler}, 12 steps"] < distances[f"{sampler}, 3 steps"], sampler
    assert distances["euler_ancestral, 12 steps"] is None
    assert answer["pndm, 6 steps"]["model evaluations"] == 7
    assert {row["seeds"] for row in answer.values()} == {1}


@pytest.mark.slow
def test_an_own_dataset_goes_from_pictures_to_decisions(execute, tmp_path):
    question = (
        "sources = real.index[real.index['image_id'].isin(synthetic.index['source_image_id'])]\n"
        "print(json.dumps({'refused': [*report['refused']], 'labels': real.class_names, 'decided': len(decisions),"
        " 'splits': sources['split'].unique().tolist()}))"
    )
    answer, _ = execute("03_bring_your_own_dataset", question)
    labels = ["parking", "stop", "yield"]
    assert answer == {"refused": ["stop/cut_off.jpg"], "labels": labels, "decided": 18, "splits": ["train"]}
    assert list((tmp_path / "TMPDIR").glob("own_dataset_*/data/06_training_sets/classification/augmented"))
