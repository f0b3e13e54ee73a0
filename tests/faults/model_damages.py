"""What can be wrong with a model folder, or done to it by somebody who wants code to be run."""

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

CANARY = "executed"
EVIL = f"from pathlib import Path\nPath(__file__).with_name('{CANARY}').touch()\nclass Evil: pass\n"
AUTO_CLASSES = ("AutoConfig", "AutoModel", "AutoModelForZeroShotObjectDetection")


class Payload:
    """Leaves a file where it is unpickled."""

    def __init__(self, canary: Path):
        self._canary = canary

    def __reduce__(self) -> tuple:
        return Path.touch, (self._canary,)


def weights_of(folder: Path) -> Path:
    """The largest safetensors file."""
    return max(folder.rglob("*.safetensors"), key=lambda file: file.stat().st_size)


def truncated(folder: Path) -> None:
    file = weights_of(folder)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(folder: Path) -> None:
    weights_of(folder).write_bytes(b"")


def flipped_in_its_header(folder: Path) -> None:
    file = weights_of(folder)
    content = bytearray(file.read_bytes())
    content[20] ^= 0x80
    file.write_bytes(content)


def with_a_huge_header(folder: Path) -> None:
    file = weights_of(folder)
    file.write_bytes(struct.pack("<Q", 2**62) + file.read_bytes()[8:])


def with_offsets_beyond_its_end(folder: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**30], "data_offsets": [0, 2**32]}}).encode()
    weights_of(folder).write_bytes(struct.pack("<Q", len(header)) + header + bytes(64))


def with_offsets_that_overlap(folder: Path) -> None:
    tensors = {name: {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} for name in "ab"}
    header = json.dumps(tensors).encode()
    weights_of(folder).write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))


def of_another_model(folder: Path) -> None:
    save_file({"another": torch.zeros(3)}, weights_of(folder), metadata={"format": "pt"})


def a_pickle_called_safetensors(folder: Path) -> None:
    weights_of(folder).write_bytes(pickle.dumps(Payload(folder / CANARY)))


def a_pickle_in_its_place(folder: Path) -> None:
    file = weights_of(folder)
    file.unlink()
    names = {"diffusion_pytorch_model": "diffusion_pytorch_model.bin", "model": "pytorch_model.bin"}
    torch.save({"a": Payload(folder / CANARY)}, file.with_name(names[file.stem]))


def a_link_to_a_pickle(folder: Path) -> None:
    file = weights_of(folder)
    (folder.parent / "elsewhere.bin").write_bytes(pickle.dumps(Payload(folder / CANARY)))
    file.unlink()
    file.symlink_to(folder.parent / "elsewhere.bin")


DAMAGES: tuple[Callable[[Path], None], ...] = (
    truncated,
    empty,
    flipped_in_its_header,
    with_a_huge_header,
    with_offsets_beyond_its_end,
    with_offsets_that_overlap,
    of_another_model,
    a_pickle_called_safetensors,
    a_pickle_in_its_place,
    a_link_to_a_pickle,
)


def no_config(folder: Path) -> None:
    config_of(folder).unlink()


def config_that_is_no_json(folder: Path) -> None:
    config_of(folder).write_text("{")


def config_that_is_a_list(folder: Path) -> None:
    config_of(folder).write_text("[1, 2]")


def config_of_another_class(folder: Path) -> None:
    config_of(folder).write_text(
        json.dumps({"model_type": "gpt2", "architectures": ["GPT2Model"], "_class_name": "AllegroTransformer3DModel"})
    )


def config_of_an_unknown_class(folder: Path) -> None:
    config_of(folder).write_text(json.dumps({"model_type": "evil", "_class_name": "Evil"}))


def config_with_code(folder: Path) -> None:
    """Transformers runs such a file where it is told to trust it, or asks on a terminal."""
    (folder / "modeling_evil.py").write_text(EVIL)
    change_json(
        config_of(folder),
        model_type="evil",
        _class_name="Evil",
        auto_map=dict.fromkeys(AUTO_CLASSES, "modeling_evil.Evil"),
    )


CONFIGS: tuple[Callable[[Path], None], ...] = (
    no_config,
    config_that_is_no_json,
    config_that_is_a_list,
    config_of_another_class,
    config_of_an_unknown_class,
)


def config_of(folder: Path) -> Path:
    """That of the model with the weights."""
    return folder / "unet" / "config.json" if (folder / "unet").is_dir() else folder / "config.json"


def change_json(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
