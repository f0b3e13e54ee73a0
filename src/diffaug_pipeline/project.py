"""What commands and screens know of the project: its parameters and the artifacts of its runs, for reading."""

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro.framework.project import settings
from kedro.io import DatasetError, Version

from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.errors import VersionError, explanation_of
from diffaug_pipeline.session import RUN_RECORD


class Project:
    """The project in one environment, for reading; safe to ask from several threads.

    Parameters are those of the moment it was opened, artifacts those of the moment they are asked for.
    """

    def __init__(
        self, env: str | None = None, conf_source: str | None = None, runtime_params: dict[str, Any] | None = None
    ):
        self._lock = threading.Lock()
        with settings.SESSION_CLASS.create(env=env, conf_source=conf_source) as session:
            kedro_context = session.load_context(runtime_params=runtime_params)
        self.env = env
        self.runtime_params = runtime_params or {}
        self.folder: Path = kedro_context.project_path
        self.conf_source = Path(kedro_context.config_loader.conf_source)
        self.catalog = kedro_context.catalog
        self._config = kedro_context.config_loader

    @property
    def local_conf(self) -> Path:
        """`conf/local`: what the user changes, read by every run that names no other environment."""
        return self.conf_source / "local"

    @cached_property
    def data_root(self) -> Path:
        """The folder that holds the layers, `01_raw` to `08_reporting`."""
        return Path(self.artifact(RUN_RECORD)._filepath).parents[1]

    def parameters(self, name: str) -> Any:
        """A validated block, e.g. `parameters("params:classification.filtering")`.

        Raises Kedro's `ParameterValidationError` if any block is not valid, `DatasetNotFoundError` if there is none.
        """
        with self._lock:
            return self.catalog.load(name)

    def configuration(self, name: str) -> dict[str, Any]:
        """What the files of `settings.CONFIG_LOADER_ARGS` called `name` say, e.g. `configuration("schedules")`."""
        with self._lock:
            return self._config[name]

    def run_ids(self, dataset_name: str = RUN_RECORD) -> list[str]:
        """The runs that have made `dataset_name` (every recorded run, if none is named), newest first."""
        return self.artifact(dataset_name).list_versions(full_path=False)

    def version_of(self, dataset_name: str, run_id: str) -> str | None:
        """The version of `dataset_name` that run `run_id` made, read, or goes back to; None if there is none."""
        artifact, records = self.artifact(dataset_name), self.artifact(RUN_RECORD)
        line = [run_id]
        for version in line:  # grows meanwhile
            if artifact.has_version(version):
                return version
            read = records.read(version).get("versions_read", {}) if records.has_version(version) else {}
            earlier = [read[dataset_name]] if dataset_name in read else dict.fromkeys(read.values())
            line += [version for version in earlier if version not in line]
        return None

    def load(self, dataset_name: str, run_id: str) -> Any:
        """An artifact as run `run_id` knows it (see `version_of`).

        Raises `VersionError` if it knows none, or a damaged one.
        """
        artifact = self._version(dataset_name, run_id)
        try:
            return artifact.load()
        except DatasetError as error:
            raise explanation_of(error) or VersionError(
                f"{artifact.load_path} cannot be read ({error.__cause__ or error}); it is damaged: remove it, and make "
                "it anew."
            ) from error

    def path(self, dataset_name: str, run_id: str) -> Path:
        """Where that artifact lies. Raises `VersionError` if the run knows none."""
        return self._version(dataset_name, run_id).load_path

    def _version(self, dataset_name: str, run_id: str) -> VersionedArtifact:
        version = self.version_of(dataset_name, run_id)
        if version is None:
            raise VersionError(
                f"run {run_id!r} has no {dataset_name}; runs that have made it are "
                f"{', '.join(self.run_ids(dataset_name)[:5]) or 'none'}."
            )
        return self.artifact(dataset_name, version)

    def artifact(self, dataset_name: str, version: str | None = None) -> VersionedArtifact:
        """One of its own for each caller, as datasets remember versions; the catalog adds them while it is asked."""
        with self._lock:
            return self.catalog.get(dataset_name, version=Version(version, None))
