import json
import logging
import shutil

import httpx2
import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from diffaug_pipeline.errors import HubError, HubUnreachableError, ModelFolderError
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.synthesis.models import loading_errors, locate_model, model_revision, read_model_file

COMMIT = "0123456789abcdef" * 2 + "01234567"


def test_a_folder_is_named_by_its_content(tiny_generator, tmp_path):
    revision = model_revision(str(tiny_generator), None)
    assert len(revision) == 16
    assert int(revision, 16) >= 0
    copy = shutil.copytree(tiny_generator, tmp_path / "copy")
    assert model_revision(str(copy), None) == revision
    other = shutil.copytree(tiny_generator, tmp_path / "other")
    (other / "unet" / "config.json").write_text("{}")
    assert model_revision(str(other), None) != revision


def test_a_hub_id_is_no_folder_and_keeps_its_pinned_commit():
    assert locate_model("someone/some-model") is None
    assert model_revision("someone/some-model", COMMIT) == COMMIT


@pytest.mark.parametrize(
    ("model", "message"),
    [("/nowhere/model", "does not exist; name a folder or a hub id"), ("embedded:painter", "not part of this package")],
)
def test_a_missing_folder_is_one_clear_error(model, message):
    with pytest.raises(ModelFolderError, match=message):
        locate_model(model)


def test_a_folder_without_safetensors_is_refused(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(ModelFolderError, match=r"no \.safetensors weights"):
        model_revision(str(tmp_path), None)


def test_a_models_file_is_read_where_there_is_one(tiny_generator, tmp_path):
    assert read_model_file(str(tiny_generator), None, "scheduler/scheduler_config.json")["beta_start"] == 0.00085
    assert read_model_file(str(tiny_generator), None, "transformer/config.json") is None
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(ModelFolderError, match=r"model_index.json is damaged: it is not JSON"):
        read_model_file(str(tmp_path), None, "model_index.json")


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (KeyError("unet"), r"mine cannot be loaded \(KeyError: 'unet'\); see whether it is whole"),
        (OSError("no such file\nmore"), r"mine cannot be loaded \(OSError: no such file\); see"),
        (RuntimeError("Errors:\n\tsize mismatch"), r"cannot be loaded \(RuntimeError: Errors: size mismatch\)"),
        (ValueError(), r"cannot be loaded \(ValueError: it does not say why\)"),
    ],
)
def test_what_a_library_says_while_it_loads_is_one_clear_error(raised, message):
    with pytest.raises(ModelFolderError, match=message) as error, loading_errors("mine"):
        raise raised
    assert error.value.__cause__ is raised


def test_full_memory_is_no_fault_of_the_model():
    import torch

    for full in (MemoryError(), torch.OutOfMemoryError()):
        with pytest.raises(type(full)), loading_errors("mine"):
            raise full


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    model_revision.cache_clear()
    return tmp_path / "hub"


def response(status: int) -> httpx2.Response:
    return httpx2.Response(status, request=httpx2.Request("GET", "https://hub.test/api/models/someone/gone"))


def fail_with(error: Exception, monkeypatch) -> None:
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)


UNREACHABLE = [
    errors.OfflineModeIsEnabled("offline"),
    errors.LocalEntryNotFoundError("not in the cache"),
    httpx2.ConnectError("no route"),
    httpx2.ConnectTimeout("too slow"),
]


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (
            errors.GatedRepoError("403", response=response(403)),
            HubError,
            "someone/gone is gated: accept its licence on its page on the hub, then log in with `hf auth login`",
        ),
        (
            errors.RepositoryNotFoundError("404", response=response(404)),
            HubError,
            "the hub has no model someone/gone, or it is private; check the spelling",
        ),
        (
            errors.RevisionNotFoundError("404", response=response(404)),
            HubError,
            "someone/gone has no revision v9; name a commit, branch or tag",
        ),
        (
            errors.HfHubHTTPError("451 for reasons of law\nmore", response=response(451)),
            HubError,
            "does not hand out the model someone/gone: 451 for reasons of law; see its page",
        ),
        *[
            (
                errors.HfHubHTTPError(f"{status} not now", response=response(status)),
                HubUnreachableError,
                rf"out of order or busy \({status} not now\), and the model someone/gone is not in the local cache",
            )
            for status in (429, 500, 503)
        ],
        *[
            (error, HubUnreachableError, "the hub cannot be reached for the model someone/gone, and it is not in")
            for error in UNREACHABLE
        ],
    ],
)
def test_what_the_hub_does_not_give_is_one_clear_error(raised, kind, message, cache, monkeypatch):
    fail_with(raised, monkeypatch)
    with pytest.raises(kind, match=message) as error:
        model_revision("someone/gone", "v9")
    assert error.value.__cause__ is raised
    with pytest.raises(kind, match=message):
        ClipScorer("someone/gone", "v9", "cpu")


def test_a_name_that_no_repository_can_have_is_one_clear_error(cache):
    with pytest.raises(ModelFolderError, match="some/where/else is neither a folder nor a hub id, which reads owner"):
        model_revision("some/where/else", None)


@pytest.mark.parametrize("raised", UNREACHABLE)
@pytest.mark.parametrize("revision", [None, "main", "v9"])
def test_out_of_reach_of_the_hub_the_cached_snapshot_is_taken(revision, raised, cache, monkeypatch, caplog):
    fail_with(raised, monkeypatch)
    repository = cache / "models--someone--kept"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / (revision or "main")).write_text(COMMIT)
    with caplog.at_level(logging.WARNING):
        assert model_revision("someone/kept", revision) == COMMIT
    assert "cannot be reached; someone/kept is taken from the local cache, commit 01234567" in caplog.text
    with pytest.raises(HubUnreachableError):
        model_revision("someone/kept", "another")


def test_a_snapshot_fetched_by_its_commit_is_found_again(cache, monkeypatch):
    fail_with(UNREACHABLE[0], monkeypatch)
    snapshot = cache / "models--someone--kept" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    assert model_revision("someone/kept", None) == COMMIT
    (snapshot / "model_index.json").write_text(json.dumps({"_class_name": "X"}))
    assert read_model_file("someone/kept", COMMIT, "model_index.json") == {"_class_name": "X"}
    with pytest.raises(HubUnreachableError):
        read_model_file("someone/kept", COMMIT, "unet/config.json")


def test_a_file_that_a_repository_lacks_is_none(cache, monkeypatch):
    def lacks(*args, **kwargs):
        raise errors.RemoteEntryNotFoundError("404", response=response(404))

    monkeypatch.setattr("diffaug_pipeline.synthesis.hub.hf_hub_download", lacks)
    assert read_model_file("someone/kept", COMMIT, "unet/config.json") is None


def test_a_model_of_another_kind_is_one_clear_error_of_the_scorer(tiny_generator):
    with pytest.raises(ModelFolderError, match=r"cannot be loaded \(ValueError: Unrecognized model"):
        ClipScorer(str(tiny_generator), None, "cpu")
