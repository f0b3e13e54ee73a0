from typing import get_args

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from diffaug_pipeline.synthesis.schedulers import SchedulerName, build_scheduler


@pytest.mark.parametrize("name", get_args(SchedulerName))
def test_every_scheduler_runs_and_keeps_the_models_noise_schedule(tiny_generator, name):
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_generator, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = build_scheduler(name, pipeline.scheduler.config, 5)
    assert pipeline.scheduler.config.beta_end == 0.012
    image = pipeline("a bag", num_inference_steps=5, generator=torch.Generator().manual_seed(0)).images[0]
    assert np.asarray(image).std() > 1


def test_few_steps_start_at_full_noise(tiny_generator):
    config = StableDiffusionPipeline.from_pretrained(tiny_generator, dtype=torch.float32).scheduler.config
    few, many = build_scheduler("ddim", config, 5), build_scheduler("ddim", config, 50)
    few.set_timesteps(5)
    many.set_timesteps(50)
    assert few.timesteps[0] == 999
    assert many.timesteps[0] < 999
