"""What `kedro` commands would do, found out up to their first node.

`python dry_runs.py <before> <data>`, given a JSON list of commands on standard input, each a list of words, prints a
JSON list with `{"nodes": <how many would run>}` or `{"error": <what was said>}` for each. Runs have the smoke
environment and find the data folder <data> as <before> is. Of other commands words and options are checked: `{}`.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
from kedro.framework.cli.cli import KedroCLI
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner


class FirstNodeReachedError(Exception):
    """All that comes before the first node has gone well."""


def stop(runner: SequentialRunner, pipeline: Pipeline, *_: Any, **__: Any) -> None:
    raise FirstNodeReachedError(len(pipeline.nodes))


def outcome(kedro: KedroCLI, words: list[str], before: Path, data_root: Path) -> dict[str, Any]:
    try:
        command, words = find_command(kedro, words)
        context = command.make_context("kedro", list(words))  # click empties the list
        if command is not kedro.get_command(context, "run"):
            return {}
        shutil.rmtree(data_root, ignore_errors=True)
        shutil.copytree(before, data_root, copy_function=os.link)
        return command.main(in_miniature(words, data_root), standalone_mode=False)
    except FirstNodeReachedError as reached:
        return {"nodes": reached.args[0]}
    except click.ClickException as error:
        return {"error": error.format_message()}
    except Exception as error:
        return {"error": str(error)}


def find_command(group: click.Group, words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` begin with, and the words that are left for it; a group alone lists what it has."""
    command: click.Command | None = group
    while isinstance(command, click.Group) and words:
        name, *words = words
        command = command.get_command(click.Context(command), name)
        if command is None:
            raise click.UsageError(f"No such command {name!r}.")
    return command, words


def in_miniature(words: list[str], data_root: Path) -> list[str]:
    """The words of a `run`, in the smoke environment and with a data folder of its own."""
    words, params = list(words), f"data_root={data_root}"
    if "--params" in words:
        place = words.index("--params")
        params += f",{words[place + 1]}"
        del words[place : place + 2]
    return [*words, "--params", params, *([] if "--env" in words else ["--env", "smoke"])]


if __name__ == "__main__":
    with patch.object(SequentialRunner, "run", stop):
        commands = KedroCLI(Path.cwd())
        folders = [Path(name) for name in sys.argv[1:]]
        outcomes = [outcome(commands, words, *folders) for words in json.load(sys.stdin)]
    print("\n" + json.dumps(outcomes))  # noqa: T201
