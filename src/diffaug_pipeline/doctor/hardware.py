"""Processor, accelerators and memory, and what the engine makes of them."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from diffaug_pipeline.doctor.finding import Finding
from diffaug_pipeline.history.tables import show_bytes
from diffaug_pipeline.processes import usable_cores
from diffaug_pipeline.synthesis.hardware import choose_batch_size, choose_dtype, worker_devices
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

GROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use."""
LITTLE_MEMORY_BYTES = 2e9
SECONDS_FOR_DRIVER = 10


def check_processor() -> Iterator[Finding]:
    """Cores, and whether they multiply bfloat16, which halves the time of synthesis."""
    native = torch.cpu._is_avx512_bf16_supported()
    kind = "multiplies bfloat16 natively" if native else "computes in float32: it has no instructions for bfloat16"
    yield Finding("ok", f"{usable_cores()} cores, {torch.get_num_threads()} threads for torch; {kind}")


def check_accelerators() -> Iterator[Finding]:
    """GPUs that torch sees, and those that it does not."""
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        name, (major, minor) = torch.cuda.get_device_name(number), torch.cuda.get_device_capability(number)
        yield Finding(
            "ok",
            f"cuda:{number} is {name}, compute capability {major}.{minor}, {show_bytes(free)} of {show_bytes(total)} "
            f"free; CUDA {torch.version.cuda}, driver {driver_version() or 'unknown'}",
        )
    if torch.cuda.is_available():
        return
    if torch.backends.mps.is_available():
        yield Finding("ok", "mps, which shares the memory of the processor")
    elif driver := driver_version():
        built = f"is built for CUDA {torch.version.cuda}" if torch.version.cuda else "is built for processors alone"
        yield Finding(
            "advice",
            f"there is an NVIDIA GPU (driver {driver}), but torch {torch.__version__} {built} and does not see it",
            "install the build of torch and torchvision that fits the driver; pytorch.org says which.",
        )
    else:
        yield Finding("ok", "none: everything runs on the processor")


def driver_version() -> str | None:
    """Of NVIDIA's driver; None where there is none."""
    if shutil.which("nvidia-smi") is None:
        return None
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=SECONDS_FOR_DRIVER)
    return told.stdout.split("\n")[0].strip() or None if told.returncode == 0 else None


def check_memory() -> Iterator[Finding]:
    """Free memory of the machine, or of the container."""
    free, total = memory()
    says = f"{show_bytes(free)} of {show_bytes(total)} are free"
    if free < LITTLE_MEMORY_BYTES:
        yield Finding("advice", says, "close other programs, or give the container more: training takes about 2 GB.")
    else:
        yield Finding("ok", says)


def memory(group: Path = GROUP) -> tuple[float, float]:
    """Free and whole, in bytes; `group` says less where a container may use less."""
    whole = psutil.virtual_memory()
    limit, used = (_read_number(group / name) for name in ("memory.max", "memory.current"))
    if limit is None or used is None or limit > whole.total:
        return whole.available, whole.total
    return min(whole.available, limit - used), limit


def check_engine(synthesis: SynthesisOptions, preset: GeneratorPreset, weights_bytes: int | None) -> Iterator[Finding]:
    """What synthesis would do here; `weights_bytes` are those of the generator, where it is on this machine.

    Raises `ParameterError` for a device or a precision that this machine does not have.
    """
    dtype, batch_size = choose_dtype(synthesis, preset), choose_batch_size(synthesis, preset)
    workers = ", ".join(f"{count} on {device}" for device, count in Counter(worker_devices(synthesis)).items())
    together = f"{batch_size} image{'s' * (batch_size != 1)}"
    says = f"{synthesis.generator} in {dtype}, {together} at a time, workers: {workers}"
    free, _ = memory()
    if weights_bytes is not None and weights_bytes > free and set(worker_devices(synthesis)) == {"cpu"}:
        yield Finding(
            "advice",
            f"{says}; its weights take {show_bytes(weights_bytes)}, and {show_bytes(free)} of memory are free",
            "choose a smaller generator, or a machine with more memory.",
        )
    else:
        yield Finding("ok", says)


def _read_number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # no such file, or `max`
        return None
