"""Listing the project loads no heavy library, and the test that says so can fail."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "diffusers", "transformers", "ultralytics", "cv2", "pandas", "PIL", "plotly", "ray")


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_registering_pipelines_loads_nothing_heavy():
    loaded = modules_after(
        "from kedro.framework.project import configure_project, pipelines\n"
        "configure_project('diffaug_pipeline')\n"
        "assert len(dict(pipelines)) > 3"
    )
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "words",
    [
        ["registry", "list"],
        ["run", "--help"],
        ["doctor", "--help"],
        ["runs", "ls", "--help"],
        ["versions", "ls", "--help"],
    ],
)
def test_kedro_commands_load_nothing_heavy(words, project):
    script = (
        "import sys\nfrom kedro.framework.cli.cli import main\n"
        f"sys.argv = ['kedro', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=project)
    shown, _, loaded = done.stdout.partition("MODULES")
    assert "classification" in shown or "--resume" in shown
    assert set(loaded.split()).isdisjoint(HEAVY)


def test_the_check_notices_a_heavy_import():
    assert "torch" in modules_after("import diffaug_pipeline.training.optimization")
