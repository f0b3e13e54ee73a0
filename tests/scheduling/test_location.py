"""Jobs and schedules in this process; the daemon is tried in end_to_end/test_schedule.py."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from kedro.framework.project import pipelines
from scheduling.schedule_cases import block, define, write_conf

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.project import Project
from diffaug_pipeline.session import RUN_RECORD
from diffaug_pipeline.strength_study import plan

pytestmark = pytest.mark.long

NIGHTLY = block(cron="30 2 * * *", timezone="Europe/Berlin", pipelines=["export"], retries=2, retry_after_minutes=5)


@pytest.fixture(scope="module")
def conf(tmp_path_factory) -> Path:
    return write_conf(tmp_path_factory.mktemp("conf") / "conf", study=block(), nightly=NIGHTLY)


@pytest.fixture
def instance(tmp_path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def data_root(tmp_path) -> Path:
    return tmp_path / "data"


def test_definitions_load_and_start_by_themselves_at_their_hour(conf, data_root):
    definitions = define(str(conf), str(data_root))
    dg.Definitions.validate_loadable(definitions)
    schedule = definitions.resolve_schedule_def("nightly_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Europe/Berlin")


def test_a_job_has_an_operation_for_each_task_after_those_it_needs(conf, data_root):
    definitions = define(str(conf), str(data_root))
    nightly, study = (definitions.resolve_job_def(name) for name in ("nightly", "study"))
    assert {node.name for node in nightly.nodes} == {"classification", "detection"}
    assert {node.definition.retry_policy for node in nightly.nodes} == {dg.RetryPolicy(max_retries=2, delay=300)}
    assert [node.name for node in study.nodes_in_topological_order] == ["classification", "strength_study"]


def test_every_wrong_entry_is_named_when_the_location_loads(tmp_path, data_root):
    conf = write_conf(tmp_path / "conf", study=block(cron="hourly"), other=block(pipelines=["nothing"]))
    with pytest.raises(ParameterError, match=r"(?s)study\.cron: .*other\.pipelines: there is no pipeline nothing"):
        define(str(conf), str(data_root))


def test_a_tick_starts_a_run_but_not_beside_one_that_is_still_going_on(conf, data_root, instance):
    definitions = define(str(conf), str(data_root))
    schedule = definitions.resolve_schedule_def("study_schedule")

    def tick() -> str | list[str]:
        with dg.build_schedule_context(instance, datetime(2026, 11, 25, 2, 30, tzinfo=UTC)) as context:
            evaluated = schedule.evaluate_tick(context)
        return evaluated.skip_message or [request.tags["dagster/schedule_name"] for request in evaluated.run_requests]

    assert tick() == ["study_schedule"]
    job = definitions.resolve_job_def("study")
    going_on = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert tick() == "the run of study before this one is still going on"
    instance.delete_run(going_on.run_id)
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE)
    assert tick() == ["study_schedule"]


def test_one_operation_alone_leaves_the_run_to_be_gone_on_with(conf, data_root, instance):
    job = dg.build_reconstructable_job("scheduling.schedule_cases", "define_job", (str(conf), str(data_root), "study"))
    assert dg.execute_job(job, instance, op_selection=["classification"]).success
    project = Project("smoke", str(conf), {"data_root": str(data_root)})
    (run_id,) = project.run_ids()
    record = project.load(RUN_RECORD, run_id)
    assert (record["status"], list(record["nodes"])) == ("interrupted", ["classification.ingest_images"])


def test_a_job_that_failed_and_is_executed_again_makes_one_version_of_all(conf, data_root, instance, monkeypatch):
    job = dg.build_reconstructable_job("scheduling.schedule_cases", "define_job", (str(conf), str(data_root), "study"))
    with monkeypatch.context() as patch:
        patch.setattr(plan, "plan_strengths", lambda *_: 1 / 0)
        failed = dg.execute_job(job, instance)
    project = Project("smoke", str(conf), {"data_root": str(data_root)})
    (run_id,) = project.run_ids()
    assert not failed.success
    assert project.load(RUN_RECORD, run_id)["status"] == "failed"
    again = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
    finished = dg.execute_job(job, instance, reexecution_options=again)
    assert finished.success
    assert [event.step_key for event in finished.get_step_success_events()] == ["strength_study"]
    record = project.load(RUN_RECORD, run_id)
    made = [node["outputs"] for node in record["nodes"].values()]
    assert {output["version"] for outputs in made for output in outputs.values()} == {run_id}
    assert project.run_ids() == project.run_ids("strength_study.report") == [run_id]
    assert record["status"] == "finished"
    assert record["nodes"].keys() == {node.name for node in pipelines["strength_study"].nodes}
    assert len(record["attempts"]) == 3
    assert record["pipelines"] == ["strength_study"]
    assert not any(record["selection"].values())
    (metadata,) = (event.event_specific_data.metadata for event in finished.all_events if event.is_successful_output)
    assert metadata["run id"].value == run_id
    assert Path(metadata["report"].value).is_file()
