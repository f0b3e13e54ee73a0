"""Where and with what a run happens: code, libraries, machine, device."""

import hashlib
import importlib.metadata
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

RECORDED_LIBRARIES = (
    "diffaug_pipeline",
    "kedro",
    "torch",
    "torchvision",
    "diffusers",
    "transformers",
    "ultralytics",
    "numpy",
    "pandas",
    "pillow",
)
CODE_SUFFIXES = (".css", ".jinja", ".js", ".py")
WITHOUT_PART_IN_RUNS = ("app", "commands", "doctor", "playground", "scheduling", "versions")
"""Packages that look at runs or start them."""
DIGEST_LENGTH = 12


def machine() -> dict[str, Any]:
    """The computer and the process."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def git_state(project: Path) -> dict[str, Any]:
    """Commit of the project folder, and whether tracked files differ from it; None without git."""

    def git(*words: str) -> str | None:
        done = subprocess.run(["git", "-C", str(project), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        commit = git("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(git("status", "--porcelain", "--untracked-files=no"))}
    except FileNotFoundError:
        return {"commit": None, "changed": None}


def code_digests() -> dict[str, str]:
    """By path in the package, the beginning of the SHA-256 of every file of code that a run may use."""
    package = Path(__file__).parent
    files = sorted(
        path
        for path in package.rglob("*")
        if path.suffix in CODE_SUFFIXES and path.relative_to(package).parts[0] not in WITHOUT_PART_IN_RUNS
    )
    return {
        path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_LENGTH]
        for path in files
    }


def library_versions() -> dict[str, str | None]:
    """Installed version of each of `RECORDED_LIBRARIES`, None where absent."""
    versions: dict[str, str | None] = {}
    for name in RECORDED_LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def device_used() -> str:
    """What `device: auto` means here, if torch was loaded at all."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "none"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu, {torch.get_num_threads()} threads"


def describe_changed_attempts(record: dict[str, Any]) -> list[str]:
    """A sentence if the attempts of an interrupted run were made on different machines; else none."""
    computers = [attempt["machine"] for attempt in record["attempts"]]
    described = list(dict.fromkeys(f"{computer['platform']}, {computer['cpus']} CPUs" for computer in computers))
    if len(described) == 1:
        return []
    return [f"The run was interrupted and gone on with on another machine: {'; then '.join(described)}."]
