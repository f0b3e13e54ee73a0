"""Schedules as Dagster sees them: a job for each, an operation for each task, one run id for all that a job runs."""

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import dagster as dg
from kedro.framework.project import pipelines, settings
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol
from kedro.pipeline import GroupedNodes, Pipeline
from kedro.runner import SequentialRunner

from diffaug_pipeline.history.findings import describe_findings
from diffaug_pipeline.history.reading import read_history
from diffaug_pipeline.project import Project
from diffaug_pipeline.scheduling.options import Schedule, read_schedules
from diffaug_pipeline.scheduling.running import parameters_of, run_id_of

ONE_AFTER_THE_OTHER = dg.multiprocess_executor.configured({"max_concurrent": 1}, name="one_after_the_other")
"""A heavy run leaves no room for another. Each operation has a process of its own, so that one which the system ends
for want of memory is retried like any other; starting it takes seconds, and a job has one for each task only."""
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def define_location(
    project_folder: str,
    env: str | None = None,
    conf_source: str | None = None,
    runtime_params: dict[str, Any] | None = None,
    executor: dg.ExecutorDefinition = ONE_AFTER_THE_OTHER,
) -> dg.Definitions:
    """A job and a schedule for each entry of `schedules.yml`; `executor` says where operations run, one at a time.

    Raises `ParameterError` naming everything that is wrong in the file.
    """
    with chdir(project_folder):
        bootstrap_project(Path(project_folder))
        project = Project(env, conf_source, runtime_params)
    schedules = read_schedules(project.configuration("schedules"), pipelines.keys())
    jobs = {name: define_job(project, name, schedule, executor) for name, schedule in schedules.items()}
    return dg.Definitions(
        jobs=list(jobs.values()),
        schedules=[define_schedule(jobs[name], schedule) for name, schedule in schedules.items()],
    )


def define_job(project: Project, name: str, schedule: Schedule, executor: dg.ExecutorDefinition) -> dg.JobDefinition:
    """The pipelines of `schedule`, cut along their namespaces."""
    whole = sum((pipelines[pipeline] for pipeline in schedule.pipelines), Pipeline([]))
    groups = whole.group_nodes_by("namespace")
    operations = {group.name: _operation(project, name, schedule, group).alias(group.name) for group in groups}

    @dg.job(name=name, executor_def=executor, description=f"{', '.join(schedule.pipelines)} at {schedule.cron}")
    def job() -> None:
        done: dict[str, Any] = {}
        for group in groups:  # in topological order
            done[group.name] = operations[group.name](**{needed: done[needed] for needed in group.dependencies})

    return job


def define_schedule(job: dg.JobDefinition, schedule: Schedule) -> dg.ScheduleDefinition:
    """Starts `job`, but where its run before is still going on."""

    def start(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNDER_WAY)):
            return dg.SkipReason(f"the run of {job.name} before this one is still going on")
        return dg.RunRequest()

    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=schedule.cron,
        execution_timezone=schedule.timezone,
        execution_fn=start,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _operation(project: Project, name: str, schedule: Schedule, group: GroupedNodes) -> dg.OpDefinition:
    @dg.op(
        name=f"{name}__{group.name}",  # Dagster wants no two of a name among all jobs
        ins={needed: dg.In(dg.Nothing) for needed in group.dependencies},
        out=dg.Out(dg.Nothing),
        retry_policy=dg.RetryPolicy(schedule.retries, delay=60 * schedule.retry_after_minutes),
        description=f"{len(group.nodes)} nodes",
    )
    def run(context: dg.OpExecutionContext) -> None:
        run_id = _run_id(context, name)
        where = {"project_path": project.folder, "env": project.env, "conf_source": project.conf_source}
        with settings.SESSION_CLASS.create(**where) as session:
            session.run(
                run_id=run_id,
                pipeline_names=schedule.pipelines,
                runtime_params=parameters_of(project, schedule),
                runner=PartRunner(group.nodes),
            )
        context.add_output_metadata(_metadata(project, run_id, group.name))

    return run


class PartRunner(SequentialRunner):
    """Runs some nodes of a pipeline; whoever else looks at the run sees the whole, which others run the rest of."""

    def __init__(self, nodes: list[str]):
        super().__init__()
        self._nodes = nodes

    def run(self, pipeline: Pipeline, catalog: CatalogProtocol, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Kedro's `run`, of these nodes."""
        return super().run(pipeline.only_nodes(*self._nodes), catalog, *arguments, **options)


def _run_id(context: dg.OpExecutionContext, name: str) -> str:
    """The same for all operations of a job, and where it is gone on with after a failure."""
    root = context.run.root_run_id or context.run_id
    return run_id_of(name, context.instance.get_run_record_by_id(root).create_timestamp)


def _metadata(project: Project, run_id: str, task: str) -> Mapping[str, Any]:
    findings = [sentence for _, sentence in describe_findings(read_history(project.artifact).find(run_id), task)]
    metadata = {"run id": run_id, "findings": "\n".join(findings)}
    name = f"{task}.report"
    if project.artifact(name).has_version(run_id):
        metadata["report"] = dg.MetadataValue.path(project.path(name, run_id))
    return metadata
