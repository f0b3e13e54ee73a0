import pytest
from kedro.config import OmegaConfigLoader
from scheduling.schedule_cases import block

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.pipeline_registry import register_pipelines
from diffaug_pipeline.scheduling.options import read_schedules
from diffaug_pipeline.settings import CONFIG_LOADER_ARGS


@pytest.mark.parametrize(("env", "names"), [("base", ["nightly"]), ("smoke", ["every_minute"])])
def test_what_we_ship_is_read_and_an_environment_has_its_own(project, env, names):
    conf = OmegaConfigLoader(str(project / "conf"), env=env, **CONFIG_LOADER_ARGS)
    assert list(read_schedules(conf["schedules"], register_pipelines())) == names


def test_everything_that_is_wrong_is_named_at_once():
    document = {
        "schedule": {},
        "schedules": {
            "every night": block(),
            "a": block(cron="61 * * * *", timezone="Mars/Olympus", retries=-1),
            "b": block(pipelines=["classification", "clasification"], parameters={"data_root": "/elsewhere"}),
            "c": block(pipelines=[], retry=3) | {"cron": 5},
            "d": {},
        },
    }
    with pytest.raises(ParameterError) as caught:
        read_schedules(document, ["classification", "strength_study"])
    lines = str(caught.value).splitlines()
    for beginning in (
        "schedules.yml cannot be used:",
        "  schedule: unknown; the only key is schedules",
        "  every night: a name is letters, digits and underscores",
        "  a.cron: '61' is no minute",
        "  a.timezone: there is no time zone 'Mars/Olympus'; it is a name such as Europe/Berlin, or UTC",
        "  a.retries: Input should be greater than or equal to 0",
        "  b.pipelines: there is no pipeline clasification; there are classification, strength_study",
        "  b.parameters: data_root is that of the environment",
        "  c.cron: Input should be a valid string",
        "  c.pipelines: List should have at least 1 item",
        "  c.retry: Extra inputs are not permitted",
        "  d.cron: Field required",
    ):
        assert sum(line.startswith(beginning) for line in lines) == 1, beginning


@pytest.mark.parametrize("document", [{}, {"schedules": None}, {"schedules": {}}])
def test_no_schedules_are_none(document):
    assert read_schedules(document, []) == {}
