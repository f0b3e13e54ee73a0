"""Dagster's daemon and web page for the schedules of a project, with all they keep in its data folder."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec

import yaml

from diffaug_pipeline.errors import MissingPackageError, ParameterError
from diffaug_pipeline.project import Project
from diffaug_pipeline.scheduling.running import FOLDER

HOST = "127.0.0.1"
INSTANCE = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    "run_monitoring": {"enabled": True},
}
"""No word to its makers, nor an invitation to write to them; two heavy runs never share the machine; a run whose
process is gone counts as failed."""
LOCATION = """from diffaug_pipeline.scheduling.location import define_location

definitions = define_location({arguments})
"""


def serve(project: Project, port: int, announce: Callable[[str], None]) -> None:
    """Becomes Dagster and does not return; `announce` is told the address of the page before.

    Raises `MissingPackageError` where Dagster is not installed, `ParameterError` where the port is in use.
    """
    if find_spec("dagster") is None or find_spec("dagster_webserver") is None:
        raise MissingPackageError(
            "schedules are run by Dagster, which is not installed: pip install 'diffaug_pipeline[scheduler]'; cron and "
            "systemd do without: kedro schedules cron, kedro schedules systemd."
        )
    _check_port(port)
    home = project.data_root / FOLDER / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    arguments = (str(project.folder), project.env, str(project.conf_source), project.runtime_params)
    (home / "location.py").write_text(LOCATION.format(arguments=", ".join(map(repr, arguments))))
    (home / "dagster.yaml").write_text(yaml.safe_dump(INSTANCE))
    command = [sys.executable, "-m", "dagster", "dev", "--python-file", str(home / "location.py")]
    environment = os.environ | {"DAGSTER_HOME": str(home), "DO_NOT_TRACK": "1"}
    announce(f"http://{HOST}:{port}")
    os.chdir(project.folder)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it, and Dagster then SIGTERM too
    os.execve(sys.executable, [*command, "--host", HOST, "--port", str(port)], environment)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just let go is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ParameterError(f"port {port} cannot be had ({error}); name a free one with --port.") from error
