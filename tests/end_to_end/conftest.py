"""Real `kedro` commands in real processes, each test with a data folder of its own."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import kedro_app_command
from long_runs import LONG_RUNS, ClassificationRun, DetectionRun, Kedro, StrangersRun

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session", autouse=True)
def started_runs(
    request: pytest.FixtureRequest, project: Path, kedro_run: Kedro, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future]]:
    """The long runs that selected tests ask for, two side by side: each computes with one thread."""
    needed = {name for item in request.session.items for name in item.fixturenames}
    with ThreadPoolExecutor(2) as pool:
        yield {
            name: pool.submit(run, tmp_path_factory.mktemp(name), project, kedro_run)
            for name, run in LONG_RUNS.items()
            if name in needed
        }
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def classification_run(started_runs: dict[str, Future]) -> ClassificationRun:
    """Finished; tests that share it add runs of other ids at most."""
    return started_runs["classification_run"].result()


@pytest.fixture(scope="session")
def detection_run(started_runs: dict[str, Future]) -> DetectionRun:
    """Finished; tests that share it add runs of other ids at most."""
    return started_runs["detection_run"].result()


@pytest.fixture(scope="session")
def annotated_folder_runs(started_runs: dict[str, Future]) -> dict[str, StrangersRun]:
    """By format, finished."""
    return started_runs["annotated_folder_runs"].result()


@pytest.fixture(scope="session")
def labelled_folder_run(started_runs: dict[str, Future]) -> StrangersRun:
    """Finished."""
    return started_runs["labelled_folder_run"].result()


@pytest.fixture(scope="session")
def pretraining_run(started_runs: dict[str, Future]) -> Path:
    """The data folder of a finished one."""
    return started_runs["pretraining_run"].result()


@pytest.fixture(scope="session")
def scheduler_study_run(started_runs: dict[str, Future]) -> Path:
    """The data folder of a finished one."""
    return started_runs["scheduler_study_run"].result()


@pytest.fixture(scope="session")
def app_conf(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of `app`, a copy, with a `local` to write into."""
    conf = tmp_path_factory.mktemp("app") / "conf"
    shutil.copytree(project / "conf", conf, ignore=shutil.ignore_patterns("local"))
    (conf / "local").mkdir()
    return conf


@pytest.fixture(scope="session")
def app(
    classification_run: ClassificationRun, app_conf: Path, project: Path, environment: dict[str, str]
) -> Iterator[str]:
    """The address of a `kedro app` on the data folder of `classification_run`."""
    from browser import serving

    with serving(kedro_app_command(classification_run.data_root, app_conf), project, environment) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Headless Chromium, as the system has it; while it is open, nothing else in this process can use asyncio."""
    from browser import open_browser

    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A page of 1280 x 900; what it asked of other machines, or complained of, fails the test when it ends."""
    from browser import watched_page

    with watched_page(browser) as opened:
        yield opened
