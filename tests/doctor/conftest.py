from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

from diffaug_pipeline.project import Project


@pytest.fixture(scope="session")
def opened(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as it is shipped, with an empty data folder: real parameters to change and look at."""
    bootstrap_project(project)
    return Project("base", runtime_params={"data_root": str(tmp_path_factory.mktemp("data"))})
