"""Where and with what a run happens: code, libraries, machine, device."""

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
    """One sentence per kind of thing in which the attempts of an interrupted run differ."""
    sentences = []
    for what, shown in (
        ("code", lambda code: f"{(code['commit'] or 'unknown')[:10]}{' with changes' if code['changed'] else ''}"),
        ("libraries", lambda libraries: ", ".join(f"{name} {version}" for name, version in libraries.items())),
        ("machine", lambda computer: f"{computer['platform']}, {computer['cpus']} CPUs"),
    ):
        described = list(dict.fromkeys(shown(attempt[what]) for attempt in record["attempts"]))
        if len(described) > 1:
            sentences.append(f"The run was interrupted and gone on with on other {what}: {'; then '.join(described)}.")
    return sentences
