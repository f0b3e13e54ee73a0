"""What all commands share: which project, environment and data folder; errors of ours in a sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.validation.exceptions import ParameterValidationError

from diffaug_pipeline.errors import explanation_of
from diffaug_pipeline.wrong_parameters import WHAT_TO_DO, describe_wrong_parameters

CHOICES = [option for option in kedro_run.params if option.name in ("env", "conf_source", "params")]


def opens_project(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a click command `--env`, `--conf-source` and `--params`, and the opened `Project` as its first argument."""

    @wraps(command)
    def opened(env: str | None, conf_source: str | None, params: dict[str, Any], **options: Any) -> Any:
        from diffaug_pipeline.project import Project

        with told_in_a_sentence():
            return command(Project(env, conf_source, params), **options)

    opened.__click_params__ = [*getattr(command, "__click_params__", []), *reversed(CHOICES)]
    return opened


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Whoever calls a command sees errors of ours without a traceback: they say what to do."""
    try:
        yield
    except MissingConfigException as error:
        raise click.ClickException(
            f"{error}; check --env, and run where the folder conf is, or name it with --conf-source."
        ) from error
    except ParameterValidationError as error:
        wrong = describe_wrong_parameters(error)
        raise click.ClickException(
            "\n  ".join((f"{len(wrong)} parameters are not valid:", *wrong)) + f"\n{WHAT_TO_DO}"
        ) from error
    except Exception as error:
        if explained := explanation_of(error):
            raise click.ClickException(str(explained)) from error
        raise
