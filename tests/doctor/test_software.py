import importlib.metadata
import platform
from email.message import Message

import pytest

from diffaug_pipeline.doctor import software
from diffaug_pipeline.doctor.finding import Finding

OF_EXTRAS = ['gradio>=6; extra == "app"', 'ruff==1; extra == "dev"', 'ray>=2; extra == "ray"']
ASKED = ["torch>=2.0", "pillow>=12,<13", *OF_EXTRAS]


@pytest.fixture
def installed(monkeypatch) -> dict[str, str]:
    """What is installed where the package asks for `ASKED`; tests change it."""
    versions = {"torch": "2.14.1+cpu", "pillow": "12.5"}

    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    metadata = Message()
    metadata["Requires-Python"] = ">=3.11,<3.14"
    for extra in ("app", "dev", "ray"):
        metadata["Provides-Extra"] = extra
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ASKED)
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: metadata)
    return versions


def test_the_libraries_of_this_environment_are_as_asked_for():
    (finding,) = software.check_libraries()
    assert finding.level == "ok"
    assert int(finding.says.split()[0]) == len(software.requirements_of("")) > 20


def test_a_library_that_is_old_or_missing_is_a_problem(installed):
    installed["pillow"] = "11.0"
    del installed["torch"]
    assert list(software.check_libraries()) == [
        Finding("problem", "torch is not installed, but torch>=2.0 is needed", "pip install 'torch>=2.0'"),
        Finding("problem", "pillow 11.0, but pillow<13,>=12 is needed", "pip install 'pillow<13,>=12'"),
    ]


def test_extras_are_there_or_not_and_those_of_developers_are_not_asked_for(installed):
    installed["gradio"] = "6.31"
    (finding,) = software.check_extras()
    assert finding == Finding("ok", "there: app; not there: ray (pip install 'diffaug_pipeline[ray]')")


def test_an_extra_of_a_version_that_does_not_work_is_worth_advice(installed):
    installed["ray"] = "1.13"
    advice, _ = software.check_extras()
    assert advice == Finding(
        "advice", "ray 1.13, but ray>=2 is needed", "pip install --upgrade 'diffaug_pipeline[ray]'"
    )


@pytest.mark.parametrize(("version", "level"), [("3.11.2", "ok"), ("3.14.0", "problem"), ("3.10.9", "problem")])
def test_python_is_of_a_version_that_is_supported(installed, monkeypatch, version, level):
    monkeypatch.setattr(platform, "python_version", lambda: version)
    (finding,) = software.check_python()
    assert (finding.level, version in finding.says) == (level, True)


@pytest.mark.parametrize(
    ("content", "silenced", "level"),
    [("consent: false", "", "ok"), ("consent: true", "", "advice"), (None, "", "advice"), (None, "1", "ok")],
)
def test_telemetry_is_off_by_file_or_variable(tmp_path, monkeypatch, content, silenced, level):
    monkeypatch.setenv("DO_NOT_TRACK", silenced)
    monkeypatch.delenv("KEDRO_DISABLE_TELEMETRY", raising=False)
    if content is not None:
        (tmp_path / ".telemetry").write_text(content)
    (finding,) = software.check_telemetry(tmp_path)
    assert finding.level == level
