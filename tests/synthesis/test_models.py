import pytest

from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis.models import locate_model, model_revision


def test_a_folder_is_named_by_its_content(tiny_generator):
    revision = model_revision(str(tiny_generator), None)
    assert len(revision) == 16
    assert int(revision, 16) >= 0


def test_a_hub_id_is_no_folder_and_keeps_its_pinned_revision():
    assert locate_model("someone/some-model") is None
    assert model_revision("someone/some-model", "abc123") == "abc123"


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
