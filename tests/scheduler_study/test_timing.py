import torch

from diffaug_pipeline.scheduler_study.timing import counted_calls


def test_the_counted_evaluations_are_those_expected(study):
    counted = study.timings.set_index("cell")["counted_evaluations"]
    expected = study.summary.set_index("cell")["model_evaluations"]
    assert counted.to_dict() == expected.to_dict()
    assert counted["heun, 4 steps"] == 7
    assert counted["pndm, 4 steps"] == 5
    assert counted["ddim, eta 1, 4 steps"] == 4


def test_every_cell_is_timed_with_as_many_pictures(study):
    assert study.timings["cell"].is_unique
    assert set(study.timings["timed_images"]) == {study.options.timed_images}
    assert (study.timings["seconds_per_image"] > 0).all()
    assert (
        study.timings.set_index("cell").loc["long run", "seconds_per_image"] > study.timings["seconds_per_image"].min()
    )


def test_calls_are_counted_until_the_block_ends():
    network = torch.nn.Linear(2, 2)
    with counted_calls(network) as calls:
        network(torch.zeros(1, 2))
    network(torch.zeros(1, 2))
    assert calls == ["Linear"]
