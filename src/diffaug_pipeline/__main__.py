"""`python -m diffaug_pipeline`: `kedro run`, with `--run-id` and `--resume`, where only the package is installed."""

from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

PACKAGE = "diffaug_pipeline"


def main(*arguments: Any, **options: Any) -> Any:
    """Runs; the configuration is in the folder `conf`, or in the folder or archive that `--conf-source` names."""
    configure_project(PACKAGE)
    return find_run_command(PACKAGE)(*arguments, **options)


if __name__ == "__main__":
    main()
