import re

import pytest
from factories import generator_preset, synthesis_options

from diffaug_pipeline.errors import ParameterError


def check_strength(strength: float, steps: int) -> None:
    options = synthesis_options(mode="image_to_image", strength=strength, num_inference_steps=steps)
    options.check_strengths(generator_preset("any"))


def test_the_smallest_strength_named_takes_a_step():
    for steps in range(1, 201):
        with pytest.raises(ParameterError) as refused:
            check_strength(0.004, steps)
        smallest = float(re.search(rf"smallest strength with {steps} steps is ([\d.]+),", str(refused.value))[1])
        check_strength(smallest, steps)
        assert int(steps * smallest) == 1
        assert int(steps * (smallest - 0.001)) == 0
