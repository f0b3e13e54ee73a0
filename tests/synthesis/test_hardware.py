"""What is chosen on devices that are not there: only what torch says of them is replaced."""

import pytest
import torch
from factories import generator_preset, synthesis_options

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.synthesis.hardware import choose_batch_size, choose_dtype


@pytest.fixture(autouse=True)
def two_cuda_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def preset(**changes):
    return generator_preset("somewhere", **changes)


@pytest.mark.parametrize(
    ("device", "variant", "native_bfloat16", "chosen"),
    [
        ("cpu", None, True, "bfloat16"),
        ("cpu", "fp16", False, "float32"),
        ("cuda", "fp16", True, "float16"),
        ("cuda:1", None, True, "bfloat16"),
        ("cuda", None, False, "float16"),
        ("mps", None, True, "float32"),
    ],
)
def test_precision_is_left_to_the_engine(monkeypatch, device, variant, native_bfloat16, chosen):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native_bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0) if native_bfloat16 else (7, 5))
    assert choose_dtype(synthesis_options(dtype="auto", device=device), preset(variant=variant)) == chosen


def test_precision_asked_for_is_taken():
    assert choose_dtype(synthesis_options(dtype="float32", device="cpu"), preset()) == "float32"
    assert choose_dtype(synthesis_options(dtype="float16", device="cuda"), preset()) == "float16"


def test_float16_on_a_cpu_is_refused():
    with pytest.raises(ParameterError, match="float16, which a CPU does not compute with; use auto, bfloat16 or"):
        choose_dtype(synthesis_options(dtype="float16", device="cpu"), preset())


@pytest.mark.parametrize(
    ("device", "side_px", "dtype", "chosen"),
    [
        ("cpu", 32, "float32", 64),
        ("cpu", 32, "bfloat16", 128),
        ("cpu", 64, "float32", 16),
        ("cpu", 512, "bfloat16", 1),
        ("cuda", 512, "float16", 20),
    ],
)
def test_batches_fit_the_device(monkeypatch, device, side_px, dtype, chosen):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (20 * 2**30, 24 * 2**30))
    of_size = preset(width_px=side_px, height_px=side_px)
    assert choose_batch_size(synthesis_options(batch_size=None, device=device, dtype=dtype), of_size) == chosen
    assert choose_batch_size(synthesis_options(batch_size=3, device=device), of_size) == 3


def test_workers_share_the_memory_of_a_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (20 * 2**30, 24 * 2**30))
    shared = synthesis_options(batch_size=None, device="cuda", workers=4)
    large = preset(width_px=512, height_px=512)
    assert choose_batch_size(shared, large) == 10
    assert choose_batch_size(shared.model_copy(update={"engine": "ray"}), large) == 20


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ParameterError, match="device is cuda:2, but torch finds 2 CUDA devices; use auto or cpu"):
        choose_dtype(synthesis_options(dtype="auto", device="cuda:2"), preset())
