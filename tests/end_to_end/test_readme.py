"""The README keeps its word: its commands are understood or run, its YAML fits, its files and links exist.

`<!-- needs network -->`, `<!-- needs GPU -->` or `<!-- needs Docker -->` in a line, or above a block, says what a
command cannot do without.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from omegaconf import OmegaConf
from pydantic_core import PydanticKnownError

from diffaug_pipeline.session import RunSession

README = Path(__file__).parents[2] / "README.md"
NEEDS = re.compile(r"<!-- needs (?:Docker|GPU|network) -->")
IN_OTHER_TEXT = re.compile(r"(?<![\w.-])kedro (?:run|app|viz|package|registry)\b[^']*")
"""A command in a block that is no shell's, such as a crontab."""
RUN_BY_TEST_PACKAGE = "python -m diffaug_pipeline "
WITHOUT_NETWORK = "the hub cannot be reached"
"""How commands may end that need one; by then all that they say has been understood."""


@dataclass(frozen=True)
class Block:
    """What stands between fences."""

    language: str
    line: int
    text: str
    is_marked: bool


@dataclass(frozen=True)
class Command:
    """One that the README asks for."""

    line: int
    text: str
    is_marked: bool

    @property
    def words(self) -> list[str]:
        """Without what stands before the program, and what follows a `#` or a `>`."""
        alone = re.split(r" \d?>", re.sub(r"\$+\([^)]*\)", "now", self.text))[0]
        words = shlex.split(alone, comments=True)
        while re.match(r"[A-Z_]+=", words[0]):
            del words[0]
        return [Path(words[0]).name, *words[1:]]


def blocks_of(text: str) -> list[Block]:
    lines, found, begin = text.splitlines(), [], None
    for number, line in enumerate(lines):
        if line.startswith("```") and begin is None:
            begin = number
        elif line.startswith("```"):
            above = lines[begin - 1] if begin else ""
            content = "\n".join(lines[begin + 1 : number])
            found.append(Block(lines[begin][3:].strip(), begin + 2, content, bool(NEEDS.search(above))))
            begin = None
    assert begin is None, f"the block that begins in line {begin} has no end"
    return found


def commands_of(text: str) -> list[Command]:
    found, prose = [], text.splitlines()
    for block in blocks_of(text):
        for number, line in enumerate(block.text.splitlines(), start=block.line):
            prose[number - 1] = ""
            if block.language == "sh" and line.strip() and not line.startswith("#"):
                found += [Command(number, part, block.is_marked) for part in line.split(" && ")]
            elif block.language not in ("sh", "yaml") and (part := IN_OTHER_TEXT.search(line)):
                found.append(Command(number, part[0], block.is_marked))
    for number, line in enumerate(prose, start=1):
        for span in re.findall(r"`((?:kedro|make|pip|python) [^`]+)`", line):
            found.append(Command(number, span, bool(NEEDS.search(line))))
    return sorted(found, key=lambda command: command.line)


COMMANDS = commands_of(README.read_text(encoding="utf-8"))
BLOCKS = [block for block in blocks_of(README.read_text(encoding="utf-8")) if block.language == "yaml"]


@pytest.fixture(scope="module")
def dry_run(project, classification_run, detection_run, environment, tmp_path_factory):
    """Says of `kedro` commands what they would do after a finished run of both tasks; see `dry_runs`."""
    folder = tmp_path_factory.mktemp("readme")
    before, data_root = folder / "before", folder / "data"
    shutil.copytree(classification_run.data_root, before, copy_function=os.link)
    for layer in detection_run.data_root.glob("0*/detection"):
        shutil.copytree(layer, before / layer.parent.name / "detection", copy_function=os.link)
    for record in before.glob("08_reporting/run_record.json/*/run_record.json"):
        moved = record.read_text().replace(str(classification_run.data_root), str(data_root))
        record.unlink()  # a link
        record.write_text(moved)

    def run(commands: list[list[str]]) -> list[dict]:
        done = subprocess.run(
            [sys.executable, str(project / "tests" / "dry_runs.py"), str(before), str(data_root)],
            input=json.dumps([words[1:] for words in commands]),
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run


def of_program(program: str) -> list[Command]:
    return [command for command in COMMANDS if command.words[0] == program]


def make_understands(words: list[str], project: Path) -> bool:
    done = subprocess.run(["make", "--dry-run", *words[1:]], cwd=project, capture_output=True, check=False)
    return done.returncode == 0


def test_every_command_is_one_that_is_checked_or_needs_something():
    assert len(COMMANDS) > 10
    checked = ("kedro ", "make ", RUN_BY_TEST_PACKAGE)
    unknown = [c for c in COMMANDS if not " ".join(c.words).startswith(checked) and not c.is_marked]
    assert not unknown, "nothing checks these; mark what needs a network, a GPU or Docker"
    assert {"make run", "make test"} <= {" ".join(command.words) for command in COMMANDS}


@pytest.mark.slow
def test_every_kedro_command_gets_to_its_first_node_or_is_at_least_well_formed(dry_run):
    commands = of_program("kedro")
    outcomes = dry_run([command.words for command in commands])
    wrong = [(c, o) for c, o in zip(commands, outcomes, strict=True) if "error" in o and not excused(c, o["error"])]
    assert not wrong
    nodes = [outcome["nodes"] for outcome in outcomes if "nodes" in outcome]
    assert len(nodes) > 8
    assert max(nodes) > 30


def excused(command: Command, error: str) -> bool:
    return command.is_marked and error.startswith(WITHOUT_NETWORK)


@pytest.mark.slow
def test_a_misspelt_command_is_noticed(dry_run):
    doctored = commands_of(
        "`kedro run --pipelines clasification`, `kedro run --piplines classification`, `kedro vz`\n"
        "```sh\nkedro run --params classification.synthesis.stregth=1  # less\n```\n"
        "```crontab\n0 3 * * * cd diffaug && .venv/bin/kedro run --run-id n-$(date +\\%F) --resum last\n```\n"
    )
    errors = [outcome.get("error", "none") for outcome in dry_run([command.words for command in doctored])]
    named = ("clasification", "--piplines", "'vz'", "stregth", "--resum")
    assert len(errors) == len(named)
    assert all(word in error for word, error in zip(named, errors, strict=True)), errors


@pytest.mark.parametrize("command", of_program("make"), ids=lambda command: command.text)
def test_make_knows_its_targets(command, project):
    assert make_understands(command.words, project)


def test_a_misspelt_target_is_noticed(project):
    assert not make_understands(["make", "rum"], project)


@pytest.mark.slow
def test_the_study_that_no_other_test_runs(kedro_run, tmp_path):
    (command,) = [command for command in of_program("kedro") if "strength_study" in command.text]
    printed = kedro_run(tmp_path, *command.words[2:]).stdout
    assert Path(re.search(r"^report: (.*)$", printed, re.MULTILINE)[1]).is_file()


def validate(yaml: str, project: Path, folder: Path) -> None:
    """Raises what Kedro raises where `yaml`, as conf/local/parameters.yml, does not fit what pipelines need."""
    shutil.copytree(project / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    (folder / "conf" / "local" / "parameters.yml").write_text(yaml, encoding="utf-8")
    bootstrap_project(project)
    with RunSession.create(project_path=project, conf_source=folder / "conf") as session:
        context = session.load_context()
        catalog = context.catalog
        for name in {name for pipeline in pipelines.values() for name in pipeline.inputs()}:
            if name.startswith("params:"):
                catalog.load(name)
        loaded = OmegaConf.create(context.config_loader["parameters"])
    assert OmegaConf.merge(loaded, OmegaConf.create(yaml)) == loaded


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line {block.line}")
def test_yaml_fits_the_parameters(block, project, tmp_path):
    validate(block.text, project, tmp_path)


def test_yaml_that_does_not_fit_is_noticed(project, tmp_path):
    with pytest.raises(Exception, match="stregth"):
        validate("classification: {synthesis: {stregth: 1}}", project, tmp_path)


def paths_of_the_file_map(text: str) -> list[str]:
    """Below a folder what is indented more is inside it; several names may share a line."""
    block = next(
        block for block in blocks_of(text) if "pyproject" in block.text or "pipeline_registry.py" in block.text
    )
    found, inside = [], {0: ""}
    for line in block.text.splitlines():
        names = re.match(r"( *)(\S+(?: \S+)*)", line)
        indent = len(names[1])
        if not re.match(r"[\w.<]", names[2]):
            continue
        folder = inside[max(level for level in inside if level <= indent)]
        paths = [folder + name for name in names[2].split(" ")]
        found += paths
        inside = {level: path for level, path in inside.items() if level <= indent} | {indent + 2: paths[-1]}
    return found


def test_every_path_of_the_file_map_exists(project):
    paths = paths_of_the_file_map(README.read_text(encoding="utf-8"))
    assert len(paths) > 30
    missing = [path for path in paths if not list(project.glob(re.sub(r"<\w+>", "*", path)))]
    assert not missing


def sentences_of_errors(text: str) -> list[str]:
    """What the table of errors says they say, without what differs from one to the next."""
    table = text.partition("## Errors and what to do")[2].partition("\n## ")[0]
    return [part.strip() for said in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE) for part in said.split("…")]


def test_errors_say_what_the_readme_quotes(project):
    sources = [path.read_text(encoding="utf-8") for path in (project / "src").rglob("*.py")]
    said = re.sub(r'"\s*f?"', "", "".join(sources)) + PydanticKnownError("extra_forbidden").message()
    quoted = sentences_of_errors(README.read_text(encoding="utf-8"))
    assert len(quoted) > 8
    assert [part for part in quoted if part not in said] == []


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(text: str, project: Path) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not _leads_somewhere(target, text, project)]


def _leads_somewhere(target: str, text: str, project: Path) -> bool:
    if re.match(r"https?://", target):
        return True
    name, _, fragment = target.partition("#")
    if name and not (project / name).exists():
        return False
    page = (project / name).read_text(encoding="utf-8") if name and fragment else text
    return not fragment or fragment in map(anchor, re.findall(r"^#+ (.*)$", page, re.MULTILINE))


def test_links_lead_somewhere(project):
    text = README.read_text(encoding="utf-8")
    assert "](EXPERIMENTS.md)" in text
    assert broken_links(text, project) == []


@pytest.mark.parametrize(
    ("link", "is_broken"), [("#two-words", False), ("#to-words", True), ("LICENCE", True), ("LICENSE", False)]
)
def test_a_broken_link_is_noticed(project, link, is_broken):
    assert broken_links(f"## Two words\n\n[here]({link})", project) == [link] * is_broken
