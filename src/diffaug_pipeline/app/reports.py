"""The reports of runs, each at an address of its own: `/reports/<run id>/<task>`; nothing else is given away."""

from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.reading import read_history
from diffaug_pipeline.project import Project


def address_of(run_id: str, task: str) -> str:
    """Of a report, on the server of the page."""
    return f"/reports/{quote(run_id, safe='')}/{quote(task, safe='')}"


def add_reports(server: FastAPI, project: Project) -> None:
    """Lets `server` give the reports of all runs."""

    @server.get("/reports/{run_id}/{task}")
    def give_report(run_id: str, task: str) -> FileResponse:
        try:
            return FileResponse(find_report(project, run_id, task), media_type="text/html")
        except VersionError as error:
            raise HTTPException(404, str(error)) from error


def find_report(project: Project, run_id: str, task: str) -> Path:
    """The file; names are looked up among those recorded, never made into paths.

    Raises `VersionError` if the run is not recorded, wrote no report on `task`, or has it no longer.
    """
    run, name = read_history(project.artifact).find(run_id), f"{task}.report"
    if name not in run.outputs or not project.artifact(name).has_version(run_id):
        raise VersionError(f"run {run_id!r} has no report on {task!r}.")
    return project.artifact(name).path_of(run_id)
