import base64
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from factories import Maker, plan, planned, real_image_set, tree_bytes
from kedro.io import DatasetError, Version
from PIL import Image

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet


def dataset(folder: Path, version: str) -> ImageSetDataset:
    return ImageSetDataset(filepath=str(folder / "images"), version=Version(version, version))


def test_round_trip_of_made_images(tmp_path):
    dataset(tmp_path, "v1").save(planned(plan(10), Maker()))
    loaded = dataset(tmp_path, "v1").load()
    assert len(loaded) == 10
    assert loaded.index["seed"].tolist() == list(range(10))
    assert [image.size for image in loaded] == [(32, 32)] * 10
    first = Path(loaded.index["path"].iloc[0])
    assert first.is_file()
    assert first.stem == "recipe000000"
    assert not first.stat().st_mode & stat.S_IWUSR


def test_real_images_stay_where_they_are(tmp_path):
    real = real_image_set(tmp_path / "mine", {"train": 3, "test": 2})
    dataset(tmp_path, "v1").save(real)
    loaded = dataset(tmp_path, "v1").load()
    pd.testing.assert_frame_equal(loaded.index, real.index, check_dtype=False)
    assert not list((tmp_path / "images").rglob("*-train-*.png"))


def test_nothing_is_visible_until_the_whole_set_is(tmp_path):
    with pytest.raises(DatasetError, match="out of memory"):
        dataset(tmp_path, "v1").save(planned(plan(10), Maker(fail_at_batch=2)))
    assert not dataset(tmp_path, "v1").exists()
    with pytest.raises(DatasetError):
        ImageSetDataset(filepath=str(tmp_path / "images"), version=Version(None, None)).load()


def test_an_older_whole_version_is_latest_while_a_newer_one_is_half_written(tmp_path):
    dataset(tmp_path, "v1").save(planned(plan(4), Maker()))
    with pytest.raises(DatasetError, match="out of memory"):
        dataset(tmp_path, "v2").save(planned(plan(10), Maker(fail_at_batch=1)))
    latest = ImageSetDataset(filepath=str(tmp_path / "images"), version=Version(None, None))
    assert len(latest.load()) == 4


def test_resuming_makes_only_what_is_missing_and_gives_the_same_bytes(tmp_path):
    interrupted, resumed, undisturbed = Maker(fail_at_batch=2), Maker(), Maker()
    with pytest.raises(DatasetError):
        dataset(tmp_path / "a", "v1").save(planned(plan(10), interrupted))
    dataset(tmp_path / "a", "v1").save(planned(plan(10), resumed))
    dataset(tmp_path / "b", "v1").save(planned(plan(10), undisturbed))
    assert set(interrupted.made).isdisjoint(resumed.made)
    assert interrupted.batches + resumed.batches == undisturbed.batches
    assert tree_bytes(tmp_path / "a") == tree_bytes(tmp_path / "b")


def test_a_batch_cut_off_while_being_written_is_made_again(tmp_path):
    with pytest.raises(DatasetError):
        dataset(tmp_path, "v1").save(planned(plan(10), Maker(fail_at_batch=1)))
    half = tmp_path / "images" / ".staging" / "v1" / "images" / ".000001"
    half.mkdir()
    (half / "recipe000004.png").write_bytes(b"half a file")
    maker = Maker()
    dataset(tmp_path, "v1").save(planned(plan(10), maker))
    assert "recipe000004" in maker.made
    assert dataset(tmp_path, "v1").verify() == []


def test_more_images_reuse_the_earlier_ones_as_hard_links(tmp_path):
    dataset(tmp_path, "v1").save(planned(plan(8), Maker()))
    maker = Maker()
    second = dataset(tmp_path, "v2")
    second.save(planned(plan(20), maker))
    assert maker.made == [f"recipe{seed:06d}" for seed in range(8, 20)]
    assert second.statistics["images_made"] == 12
    assert second.statistics["images_reused"] == 8
    links = [Path(path).stat().st_nlink for path in second.load().index["path"]]
    assert links == [2] * 8 + [1] * 12


def test_images_of_an_abandoned_run_are_reused(tmp_path):
    with pytest.raises(DatasetError):
        dataset(tmp_path, "v1").save(planned(plan(12), Maker(fail_at_batch=2)))
    maker = Maker()
    dataset(tmp_path, "v2").save(planned(plan(12), maker))
    assert len(maker.made) == 4


def test_links_fall_back_to_copies(tmp_path, monkeypatch):
    dataset(tmp_path, "v1").save(planned(plan(4), Maker()))
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    maker = Maker()
    dataset(tmp_path, "v2").save(planned(plan(4), maker))
    assert maker.made == []
    assert dataset(tmp_path, "v2").verify() == []


def test_resuming_with_another_plan_is_refused(tmp_path):
    with pytest.raises(DatasetError):
        dataset(tmp_path, "v1").save(planned(plan(10), Maker(fail_at_batch=1)))
    with pytest.raises(DatasetError, match="begun with another plan"):
        dataset(tmp_path, "v1").save(planned(plan(11), Maker()))


def test_a_second_writer_is_refused_by_name(tmp_path):
    second = dataset(tmp_path, "v1")

    def meanwhile(rows: pd.DataFrame) -> list:
        second.save(planned(plan(4), Maker()))
        return []

    with pytest.raises(DatasetError, match=f"is being written by process {os.getpid()} on"):
        dataset(tmp_path, "v1").save(planned(plan(4), meanwhile))


def test_the_lock_of_a_dead_process_is_free(tmp_path):
    script = (
        "import os, sys\nfrom factories import Maker, plan, planned\nfrom kedro.io import Version\n"
        "from diffaug_pipeline.datasets import ImageSetDataset\n"
        f"ImageSetDataset(filepath={str(tmp_path / 'images')!r}, version=Version('v1', 'v1'))"
        ".save(planned(plan(4), lambda rows: os._exit(9)))"
    )
    died = subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[1])
    assert died.returncode == 9
    assert (tmp_path / "images" / ".staging" / "v1.owner").exists()
    dataset(tmp_path, "v1").save(planned(plan(4), Maker()))
    assert len(dataset(tmp_path, "v1").load()) == 4
    assert list((tmp_path / "images" / ".staging").iterdir()) == []


def test_an_outdated_version_stays_until_it_is_saved_again_with_the_same_bytes(tmp_path):
    target = dataset(tmp_path, "v1")
    target.save(planned(plan(10), Maker()))
    before = tree_bytes(tmp_path / "images" / "v1")
    target.outdate()
    assert not target.exists()
    assert target.has_version("v1")
    maker = Maker()
    target.save(planned(plan(10), maker))
    assert target.exists()
    assert maker.made == []
    assert tree_bytes(tmp_path / "images" / "v1") == before


def test_a_version_is_written_once(tmp_path):
    dataset(tmp_path, "v1").save(planned(plan(4), Maker()))
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path, "v1").save(planned(plan(4), Maker()))


def test_verify_finds_a_flipped_byte(tmp_path):
    dataset(tmp_path, "v1").save(planned(plan(4), Maker()))
    assert dataset(tmp_path, "v1").verify() == []
    victim = Path(dataset(tmp_path, "v1").load().index["path"].iloc[2])
    content = bytearray(victim.read_bytes())
    content[100] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(content)
    assert dataset(tmp_path, "v1").verify() == [f"{victim} has changed since it was written"]


def test_latest_is_the_last_published_whatever_its_name(tmp_path):
    dataset(tmp_path, "zzz").save(planned(plan(2), Maker()))
    os.utime(tmp_path / "images" / "zzz" / "images", (1, 1))
    dataset(tmp_path, "aaa").save(planned(plan(3), Maker()))
    latest = ImageSetDataset(filepath=str(tmp_path / "images"), version=Version(None, None))
    assert len(latest.load()) == 3


def test_preview_is_the_contact_sheet_as_base64_png(tmp_path):
    dataset(tmp_path, "v1").save(planned(plan(4), Maker()))
    sheet = Image.open(io.BytesIO(base64.b64decode(dataset(tmp_path, "v1").preview())))
    assert sheet.format == "PNG"
    assert sheet.width > 300


def test_rows_with_one_recipe_share_one_file(tmp_path):
    rows = plan(4)
    rows.loc[3, "recipe"] = rows.loc[0, "recipe"]
    maker = Maker()
    dataset(tmp_path, "v1").save(planned(rows, maker))
    paths = dataset(tmp_path, "v1").load().index["path"]
    assert paths[0] == paths[3]
    assert len(maker.made) == 3


def test_the_folder_can_be_moved(tmp_path):
    dataset(tmp_path / "here", "v1").save(planned(plan(4), Maker()))
    (tmp_path / "here").rename(tmp_path / "there")
    assert [image.size for image in dataset(tmp_path / "there", "v1").load()] == [(32, 32)] * 4


def test_an_empty_set_is_a_set(tmp_path):
    empty = real_image_set(tmp_path / "mine", {"train": 1}).index.iloc[:0]
    dataset(tmp_path, "v1").save(ImageSet(empty))
    assert len(dataset(tmp_path, "v1").load()) == 0
