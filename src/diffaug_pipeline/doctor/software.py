"""Python, libraries and extras against what the installed package asks for; telemetry."""

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from diffaug_pipeline.doctor.finding import Finding

DISTRIBUTION = "diffaug_pipeline"
FOR_DEVELOPERS = ("dev",)
"""Extras that no run needs."""
SILENCERS = ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY")
"""Variables that keep kedro-telemetry from sending anything, whatever they hold."""


def check_python() -> Iterator[Finding]:
    """The version that runs, against the one asked for."""
    version, asked = platform.python_version(), importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if SpecifierSet(asked).contains(version, prereleases=True):
        yield Finding("ok", version)
    else:
        yield Finding("problem", f"{version}, but {asked} is needed", "make the environment anew with such a one.")


def check_libraries() -> Iterator[Finding]:
    """Every library that runs need."""
    requirements = requirements_of("")
    unfit = [requirement for requirement in requirements if not _fits(requirement)]
    for requirement in unfit:
        yield Finding("problem", _describe(requirement), f"pip install '{requirement.name}{requirement.specifier}'")
    if not unfit:
        yield Finding("ok", f"{len(requirements)} libraries as asked for, torch {_installed('torch')} among them")


def check_extras() -> Iterator[Finding]:
    """Optional parts: which are there, and whether they are of a version that works."""
    extras = importlib.metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    present, absent = [], []
    for extra in sorted(set(extras) - set(FOR_DEVELOPERS)):
        requirements = requirements_of(extra)
        if not all(_installed(requirement.name) for requirement in requirements):
            absent.append(extra)
            continue
        present.append(extra)
        for requirement in requirements:
            if not _fits(requirement):
                yield Finding("advice", _describe(requirement), f"pip install --upgrade '{DISTRIBUTION}[{extra}]'")
    missing = f"; not there: {', '.join(absent)} (pip install '{DISTRIBUTION}[{absent[0]}]')" if absent else ""
    yield Finding("ok", f"there: {', '.join(present) or 'none'}{missing}")


def check_telemetry(folder: Path) -> Iterator[Finding]:
    """Whether Kedro would tell its makers about commands given in the project `folder`."""
    silencer = next((name for name in SILENCERS if os.environ.get(name)), None)
    if silencer is not None:
        yield Finding("ok", f"off, by {silencer}")
        return
    file = folder / ".telemetry"
    if file.is_file() and (yaml.safe_load(file.read_text()) or {}).get("consent") is False:
        yield Finding("ok", f"off, by {file}")
    else:
        yield Finding(
            "advice",
            "kedro-telemetry reports every command to its makers",
            f"set DO_NOT_TRACK=1, or write `consent: false` into {file}.",
        )


def requirements_of(extra: str) -> list[Requirement]:
    """What the package asks for, or what `extra` adds to that."""
    asked = map(Requirement, importlib.metadata.requires(DISTRIBUTION) or [])
    return [requirement for requirement in asked if _belongs(requirement, extra)]


def _belongs(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    always = requirement.marker.evaluate({"extra": ""})
    return always if not extra else not always and requirement.marker.evaluate({"extra": extra})


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fits(requirement: Requirement) -> bool:
    version = _installed(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _describe(requirement: Requirement) -> str:
    version = _installed(requirement.name)
    found = f"{requirement.name} {version}" if version else f"{requirement.name} is not installed"
    return f"{found}, but {requirement.name}{requirement.specifier} is needed"
