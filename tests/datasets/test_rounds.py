"""A quota closes a class once enough of its images have passed, whoever makes them and however often a run dies."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import Maker, plan, tree_bytes
from kedro.io import DatasetError, Version
from makers import KilledMaker, NoiseMaker, SmallMemoryMaker

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.imaging.image_set import ImageSet, MakeImages, PlannedImageSet, Quota

CATS, DOGS, WANTED = 40, 15, 6


def candidates() -> pd.DataFrame:
    """Cats and dogs in turn, as long as there are dogs."""
    rows = pd.concat([plan(CATS, "cat"), plan(DOGS, "dog", offset=100)])
    return rows.assign(turn=rows.groupby("label").cumcount()).sort_values(["turn", "label"], ignore_index=True)


class Judge:
    """Cats whose picture begins bright pass, dogs never do; remembers whom it has judged."""

    def __init__(self, fail_at_call: int | None = None):
        self.calls: list[list[str]] = []
        self._fail_at_call = fail_at_call

    def __call__(self, images: ImageSet) -> np.ndarray:
        if self._fail_at_call == len(self.calls):
            raise RuntimeError("out of memory")
        self.calls.append(images.index["image_id"].tolist())
        bright = [image.getpixel((0, 0))[0] > 100 for image in images]
        return np.array(bright) & (images.index["label"] == "cat").to_numpy()

    @property
    def judged(self) -> list[str]:
        return [image_id for call in self.calls for image_id in call]


def dataset(folder: Path, version: str = "v1") -> ImageSetDataset:
    return ImageSetDataset(filepath=str(folder / "images"), version=Version(version, version))


def save(
    folder: Path, maker: MakeImages, judge: Judge, parallel: tuple[MakeImages, ...] = (), version: str = "v1"
) -> ImageSetDataset:
    saved = dataset(folder, version)
    quota = Quota(WANTED, judge)
    saved.save(
        PlannedImageSet(
            candidates(), maker, batch_size=4, engine=LocalProcesses(parallel) if parallel else None, quota=quota
        )
    )
    return saved


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, list[str]]:
    """The set as made in one go, and what was judged."""
    folder, judge = tmp_path_factory.mktemp("undisturbed"), Judge()
    save(folder, NoiseMaker(), judge)
    return folder, judge.judged


def test_a_class_ends_once_enough_have_passed_and_one_that_never_has_ends_with_its_plan(undisturbed):
    images = dataset(undisturbed[0]).load()
    counts = images.index["label"].value_counts()
    assert counts["dog"] == DOGS
    assert WANTED < counts["cat"] < CATS
    passes = Judge()(images)
    assert passes.sum() >= WANTED
    last_cat = images.index[images.index["label"] == "cat"].index[-1]
    assert passes[:last_cat].sum() < 2 * WANTED


def test_what_is_made_is_the_beginning_of_each_class_in_the_order_of_the_plan(undisturbed):
    made = dataset(undisturbed[0]).load().index
    rows = candidates()
    assert made["image_id"].tolist() == rows.loc[rows["image_id"].isin(made["image_id"]), "image_id"].tolist()
    for label, ids in made.groupby("label")["image_id"]:
        assert ids.tolist() == rows.loc[rows["label"] == label, "image_id"].tolist()[: len(ids)]
    files = list((dataset(undisturbed[0]).load_path / "images").glob("*/*"))
    assert len(files) == len(made)
    assert dataset(undisturbed[0]).verify() == []


def test_every_image_is_judged_once_and_that_is_written_down(undisturbed):
    folder, judged = undisturbed
    made = dataset(folder).load()
    assert sorted(judged) == sorted(made.index["image_id"])
    passes = json.loads((dataset(folder).load_path / "passes.json").read_text())
    assert [passes[image_id] for image_id in made.index["image_id"]] == Judge()(made).tolist()


def test_a_run_says_how_many_images_the_quota_spared(tmp_path):
    saved = save(tmp_path, NoiseMaker(), Judge())
    made = len(saved.load())
    assert saved.statistics["images_made"] == made
    assert saved.statistics["images_not_needed"] == CATS + DOGS - made


def test_two_workers_make_the_same(undisturbed, tmp_path):
    save(tmp_path, Maker(fail_at_batch=0), Judge(), parallel=(NoiseMaker(), NoiseMaker()))
    assert tree_bytes(tmp_path) == tree_bytes(undisturbed[0])


def test_a_killed_worker_changes_nothing(undisturbed, tmp_path):
    (tmp_path / "deaths").mkdir()
    mortal = KilledMaker("recipe000007", 1, tmp_path / "deaths")
    save(tmp_path / "killed", NoiseMaker(), Judge(), parallel=(mortal, mortal))
    assert len(list((tmp_path / "deaths").iterdir())) == 1
    assert tree_bytes(tmp_path / "killed") == tree_bytes(undisturbed[0])


@pytest.mark.parametrize("failing", range(7))
def test_a_resumed_run_makes_the_same_and_makes_and_judges_nothing_twice(undisturbed, tmp_path, failing):
    maker, judge = Maker(fail_at_batch=failing), Judge()
    with pytest.raises(DatasetError, match="out of memory"):
        save(tmp_path, maker, judge)
    resumed, again = Maker(), Judge()
    save(tmp_path, resumed, again)
    assert set(maker.made).isdisjoint(resumed.made)
    assert set(judge.judged).isdisjoint(again.judged)
    assert tree_bytes(tmp_path) == tree_bytes(undisturbed[0])


@pytest.mark.parametrize("failing", range(3))
def test_a_judgement_that_was_interrupted_is_made_again_with_the_same_outcome(undisturbed, tmp_path, failing):
    judge, again = Judge(fail_at_call=failing), Judge()
    with pytest.raises(DatasetError, match="out of memory"):
        save(tmp_path, NoiseMaker(), judge)
    save(tmp_path, Maker(fail_at_batch=None), again)
    assert set(judge.judged).isdisjoint(again.judged)
    assert tree_bytes(tmp_path) == tree_bytes(undisturbed[0])


def test_images_of_an_earlier_run_are_judged_and_count(undisturbed, tmp_path):
    """The earlier run made all cats and no dog; what the quota does not ask for is not linked."""
    dataset(tmp_path, "v1").save(PlannedImageSet(plan(CATS), NoiseMaker(), batch_size=4))
    maker, judge = Maker(), Judge()
    saved = save(tmp_path, maker, judge, version="v2")
    whole = dataset(undisturbed[0]).load().index
    made = saved.load().index
    assert made.drop(columns="path").equals(whole.drop(columns="path"))
    assert judge.judged == undisturbed[1]
    assert sorted(maker.made) == sorted(whole.loc[whole["label"] == "dog", "recipe"])
    assert saved.statistics["images_reused"] == (whole["label"] == "cat").sum()
    assert len(list((saved.load_path / "images").glob("*/*"))) == len(whole)


def test_links_of_an_interrupted_round_make_room(undisturbed, tmp_path):
    dataset(tmp_path, "v1").save(PlannedImageSet(plan(CATS), NoiseMaker(), batch_size=4))
    with pytest.raises(DatasetError, match="out of memory"):
        save(tmp_path, NoiseMaker(), Judge(fail_at_call=0), version="v2")
    leftover = tmp_path / "images" / ".staging" / "v2" / "images" / "reused-1-0000"
    leftover.mkdir()
    (leftover / "recipe000006.png").write_bytes(b"half a file")
    saved = save(tmp_path, NoiseMaker(), Judge(), version="v2")
    assert saved.verify() == []
    whole = dataset(undisturbed[0]).load().index
    assert saved.load().index["sha256"].tolist() == whole["sha256"].tolist()


def test_batches_cut_down_in_one_round_stay_so_in_the_next(tmp_path):
    saved = save(tmp_path, SmallMemoryMaker(most=2), Judge())
    stored = json.loads((saved.load_path / "batches.json").read_text())
    assert stored["rounds"] > 1
    assert max(map(len, stored["batches"])) == saved.statistics["batches_cut_down_to"] == 2


def test_an_outdated_set_comes_out_the_same_without_being_judged_again(tmp_path):
    saved = save(tmp_path, NoiseMaker(), Judge())
    before = tree_bytes(tmp_path / "images" / "v1")
    saved.outdate()
    judge, maker = Judge(), Maker()
    saved.save(PlannedImageSet(candidates(), maker, batch_size=4, quota=Quota(WANTED, judge)))
    assert maker.made == judge.judged == []
    assert tree_bytes(tmp_path / "images" / "v1") == before


def test_nothing_is_written_about_passing_without_a_quota(tmp_path):
    saved = dataset(tmp_path)
    saved.save(PlannedImageSet(candidates(), NoiseMaker(), batch_size=4))
    assert len(saved.load()) == CATS + DOGS
    assert not (saved.load_path / "passes.json").exists()
    assert "images_not_needed" not in saved.statistics
