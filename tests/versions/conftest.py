import shutil
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.project import Project


@pytest.fixture(scope="session")
def opened_once(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Opening takes longer than most of these tests."""
    bootstrap_project(project)
    return Project(env="smoke", runtime_params={"data_root": str(tmp_path_factory.mktemp("versions") / "data")})


@pytest.fixture
def opened(opened_once: Project) -> Project:
    """With an empty data folder."""
    shutil.rmtree(opened_once.data_root, ignore_errors=True)
    opened_once.data_root.mkdir()
    return opened_once
