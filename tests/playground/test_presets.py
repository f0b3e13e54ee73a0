import pytest
from factories import generator_preset

from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.playground.presets import check_is_here, schedulers_of
from diffaug_pipeline.synthesis.schedulers import SOLVERS

COMMIT = "451f4fe16113bff5a5d2269ed5ad43b0592e9a14"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_files_that_are_not_here_are_named_with_the_command_that_fetches_them(cache):
    with pytest.raises(ModelFolderError, match=rf"`hf download owner/model --revision {COMMIT}`, or choose another"):
        check_is_here(generator_preset("owner/model", revision=COMMIT))
    with pytest.raises(ModelFolderError, match="`hf download owner/model`, or"):
        check_is_here(generator_preset("owner/model"))
    (cache / "models--owner--model" / "snapshots" / COMMIT).mkdir(parents=True)
    check_is_here(generator_preset("owner/model", revision=COMMIT))
    with pytest.raises(ModelFolderError):
        check_is_here(generator_preset("owner/model", revision=COMMIT[::-1]))


def test_schedulers_are_those_that_fit_or_all_where_nobody_knows(cache, tiny_generator):
    fitting = schedulers_of(generator_preset(str(tiny_generator)))
    assert {"ddim", "heun", "dpmpp_2m"} <= set(fitting)
    assert "flow_match_euler" not in fitting
    assert schedulers_of(generator_preset("owner/model")) == list(SOLVERS)
    assert schedulers_of(generator_preset("/no/such/folder")) == list(SOLVERS)
