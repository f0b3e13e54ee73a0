import os
from pathlib import Path

import psutil
import pytest
import torch
from factories import generator_preset, synthesis_options

from diffaug_pipeline.doctor import hardware
from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.processes import usable_cores

PRESET = generator_preset("nowhere")


def test_the_processor_is_described_as_it_is():
    (finding,) = hardware.check_processor()
    assert finding.says.startswith(f"{usable_cores()} cores, {torch.get_num_threads()} threads")


def test_a_container_that_may_use_less_counts(tmp_path):
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert hardware.memory(tmp_path) == (600_000, 1_000_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert hardware.memory(tmp_path)[1] == psutil.virtual_memory().total


@pytest.mark.parametrize(("free", "level"), [(1e9, "advice"), (8e9, "ok")])
def test_little_memory_is_worth_advice(monkeypatch, free, level):
    monkeypatch.setattr(hardware, "memory", lambda: (free, 16e9))
    (finding,) = hardware.check_memory()
    assert (finding.level, f"{free / 1e9:.1f} GB of 16.0 GB" in finding.says) == (level, True)


def test_what_the_engine_would_do_is_said():
    (finding,) = hardware.check_engine(synthesis_options(device="cpu", dtype="float32"), PRESET, None)
    assert finding.level == "ok"
    assert "in float32, " in finding.says
    assert finding.says.endswith("workers: 1 on cpu")


def test_weights_that_do_not_fit_into_memory_are_worth_advice(monkeypatch):
    monkeypatch.setattr(hardware, "memory", lambda: (4e9, 8e9))
    options = synthesis_options(device="cpu")
    assert [finding.level for finding in hardware.check_engine(options, PRESET, int(3e9))] == ["ok"]
    (finding,) = hardware.check_engine(options, PRESET, int(5e9))
    assert finding.level == "advice"
    assert "its weights take 5.0 GB, and 4.0 GB of memory are free" in finding.says


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ParameterError, match="device is cuda:7, but torch finds 0 CUDA devices"):
        list(hardware.check_engine(synthesis_options(device="cuda:7"), PRESET, None))


def test_a_gpu_that_torch_does_not_see_is_worth_advice(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    (finding,) = hardware.check_accelerators()
    assert (finding.level, finding.says) == ("ok", "none: everything runs on the processor")
    _nvidia_smi(tmp_path, "echo 570.86.10")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (finding,) = hardware.check_accelerators()
    assert finding.level == "advice"
    assert "an NVIDIA GPU (driver 570.86.10), but torch" in finding.says
    _nvidia_smi(tmp_path, "exit 9")
    assert hardware.driver_version() is None


def _nvidia_smi(folder: Path, does: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
