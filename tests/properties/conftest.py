"""How many examples hypothesis tries, always the same ones: few with every test run, many with DIFFAUG_FAULTS=full."""

from pathlib import Path

import numpy as np
import pytest
from faults.scale import FULL
from hypothesis import HealthCheck, settings
from PIL import Image

settings.register_profile(
    "reproducible",
    deadline=None,
    derandomize=True,
    max_examples=200 if FULL else 25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("reproducible")

SIZES_PX = ((8, 8), (31, 17), (64, 64), (9, 200), (128, 96), (50, 33))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of `SIZES_PX`, of noise."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, (width, height) in enumerate(SIZES_PX):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return sorted(folder.iterdir())
