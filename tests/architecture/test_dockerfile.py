"""What the image would contain; there is no Docker here to build it with."""

import fnmatch
import re
import subprocess
from pathlib import PurePosixPath

import pytest


@pytest.fixture(scope="module")
def instructions(project) -> list[tuple[str, str]]:
    """Keyword and rest of every instruction of the Dockerfile."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", (project / "Dockerfile").read_text()))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


@pytest.fixture(scope="module")
def copied(instructions) -> list[str]:
    return [source for keyword, rest in instructions if keyword == "COPY" for source in rest.split()[:-1]]


def is_ignored(path: str, rules: list[str]) -> bool:
    """As Docker reads .dockerignore: of the rules that match the path or a folder above it, the last one holds."""
    names = [path, *(str(parent) for parent in PurePosixPath(path).parents if parent.name)]
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        if any(
            fnmatch.fnmatchcase(PurePosixPath(name).name if anywhere != pattern else name, anywhere)
            and (pattern != "*" or "/" not in name)
            for name in names
        ):
            ignored = not rule.startswith("!")
    return ignored


def test_what_is_copied_is_there_and_nothing_else_is_sent(project, copied):
    rules = [line for line in (project / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    for source in copied:
        assert (project / source).exists()
        assert not is_ignored(source, rules)
    listed = subprocess.run(["git", "ls-files"], cwd=project, capture_output=True, text=True, check=True)
    sent = {PurePosixPath(path).parts[0] for path in listed.stdout.splitlines() if not is_ignored(path, rules)}
    assert sent == set(copied)
    private = (".git/HEAD", "data/01_raw/photo.png", "conf/local/credentials.yml", ".venv/bin/python", "info.log")
    assert all(is_ignored(path, rules) for path in (*private, "src/diffaug_pipeline/__pycache__/cli.pyc"))
    assert not is_ignored("conf/base/catalog.yml", rules)


def test_packages_are_a_layer_below_the_source(instructions):
    kinds = [(keyword, rest.split()[0]) for keyword, rest in instructions if keyword == "COPY"]
    assert kinds[0] == ("COPY", "requirements.txt")
    install = next(n for n, (_, rest) in enumerate(instructions) if "-r requirements.txt" in rest)
    assert install < instructions.index(("COPY", "src src"))


def test_it_runs_the_main_job_as_nobody_in_particular(instructions):
    last = dict(instructions)
    assert last["USER"].isdigit()
    assert int(last["USER"]) > 0
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", last["FROM"])
    assert last["CMD"] == '["kedro", "run"]'
    assert last["VOLUME"] == '["/project/data", "/project/conf/local"]'
    assert "DO_NOT_TRACK=1" in last["ENV"]
    assert "HF_HUB_OFFLINE" not in last["ENV"]
