"""`kedro doctor`: whether a run would go well here, and what to do where it would not."""

import logging
import os
from collections import Counter
from typing import Any

import click

from diffaug_pipeline.commands.opening import CHOICES

TASKS = ("classification", "detection")


@click.command(params=[*CHOICES])
@click.option("--task", type=click.Choice(TASKS), multiple=True, help="Look at this task alone; default: all.")
@click.option("--load", is_flag=True, help="Load every model, to see that it works; takes time and memory.")
@click.option("--online", is_flag=True, help="Ask the hub about models that are not on this machine.")
def doctor(
    env: str | None,
    conf_source: str | None,
    params: dict[str, Any],
    task: tuple[str, ...],
    load: bool,
    online: bool,
) -> None:
    """Look at software, machine, models, data and earlier runs; say what to do about each finding."""
    forbidden = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    if not online:
        os.environ["HF_HUB_OFFLINE"] = "1"  # before huggingface_hub, which reads it once, is imported
    from diffaug_pipeline.doctor.examination import examine_all, show
    from diffaug_pipeline.project import Project

    hub_use = "forbidden" if forbidden else "asked" if online else "left alone"
    levels: Counter[str] = Counter()
    logging.disable()  # findings say it all
    try:
        for subject, finding in examine_all(
            lambda: Project(env, conf_source, params), task or TASKS, hub_use, load=load
        ):
            levels[finding.level] += 1
            click.echo("\n".join(show(subject, finding)))
    finally:
        logging.disable(logging.NOTSET)
    click.echo(f"\n{levels['ok']} ok, {levels['advice']} with advice, problems: {levels['problem']}")
    if levels["problem"]:
        raise SystemExit(1)
