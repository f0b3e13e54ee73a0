import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import known_truth
import numpy as np
import pandas as pd
import pytest
from chain import make_features, options_from_conf
from factories import smooth_image
from kedro.io import Version
from planted import Planted, altered, as_synthetic, copies_of_training_images, with_wrong_labels
from sklearn.linear_model import LogisticRegression
from truth_cases import CASES, Setting
from truth_setting import first_of_each_class

from diffaug_pipeline.classification.prediction import predictions_table
from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import encode_png
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.seeding import derive_seed
from diffaug_pipeline.training.pixels import as_pixels, decode
from diffaug_pipeline.training.sampling import draw_batches

SIZE_PX, STEPS, BATCH_SIZE = 16, 25, 32


def linear_probes(training_set: ImageSet, real_images: ImageSet, seeds: Sequence[int]) -> pd.DataFrame:
    """Softmax regression on pixels, a hundred times as fast as a network.

    Seeds draw the rows it sees as they do those of a network, so that training sets differ for it in the same way.
    """
    test = real_images.where(split="test")
    train_pixels, test_pixels = _pixels(training_set), _pixels(test)
    tables = []
    for seed in seeds:
        rng = np.random.default_rng(derive_seed(seed, "order"))
        rows, counts = np.unique(draw_batches(training_set.index, STEPS, BATCH_SIZE, rng), return_counts=True)
        probe = LogisticRegression(C=0.1, max_iter=300)
        probe.fit(train_pixels[rows], training_set.index["label"].to_numpy()[rows], counts)
        tables.append(predictions_table(seed, test, probe.predict_proba(test_pixels), list(probe.classes_)))
    return pd.concat(tables, ignore_index=True)


def _pixels(images: ImageSet) -> np.ndarray:
    fitted = decode(images, SIZE_PX, "contain")
    return np.stack([as_pixels(picture)[0].ravel() for picture in fitted]) / 255.0


@pytest.fixture(scope="module")
def setting(tmp_path_factory) -> Setting:
    """Cut from the embedded task; extra pictures are test images that neither of its parts has."""
    folder = tmp_path_factory.mktemp("known_truth")
    store = ImageSetDataset(filepath=str(folder / "real"), version=Version("v", "v"))
    store.save(ingest(options_from_conf(IngestionOptions, "ingestion"))[0])
    real = store.load()
    few_shot = first_of_each_class(real, {"train": 4, "val": 4, "test": 50})
    whole_task = first_of_each_class(real, {"train": 10, "val": 5, "test": 10})
    test = real.where(split="test").index
    extra = ImageSet(test[test.groupby("label").cumcount().between(50, 69)].reset_index(drop=True))
    known = ImageSet(pd.concat([few_shot.index, whole_task.index]).drop_duplicates("image_id"))
    make_features(known, known, folder / "features", ())
    return Setting(
        few_shot=few_shot,
        whole_task=whole_task,
        extra=altered(extra, "exact"),
        helpful=altered(extra, "exact"),
        classifiers=linear_probes,
        known_features=folder / "features",
        planted_per_class=14,
        helping_per_class=14,
        leaked_per_class=1,
    )


def test_null_copies_of_training_images_are_inconclusive(setting):
    records = [CASES["null"].run(setting, repetition) for repetition in range(2)]
    assert [record["verdict"] for record in records] == ["inconclusive", "inconclusive"]
    assert records[0]["delta"] != records[1]["delta"]
    assert all(abs(record["delta"]) < 0.02 for record in records)


def test_harm_wrong_labels_hurt_and_the_filter_undoes_most_of_it(setting):
    record = CASES["harm"].run(setting, 0)
    assert record["verdict"] == "hurt"
    assert record["delta"] < -0.05
    assert record["filtered_delta"] > record["delta"] / 3
    assert record["filtered_verdict"] != "hurt"


def test_help_more_real_images_help(setting):
    record = CASES["help"].run(setting, 0)
    assert record["verdict"] == "helped"
    assert record["delta"] > 0.03


def test_leak_every_planted_test_image_is_caught_and_the_run_fails_without_the_rule(setting):
    record = CASES["leak"].run(setting, 0)
    assert (record["planted"], record["missed"]) == (50, [])
    assert len(record["false_alarms"]) <= 2
    assert record["run_fails"]


def test_memoriser_every_re_encoded_training_image_is_flagged(setting):
    record = CASES["memoriser"].run(setting, 0)
    assert (record["planted"], record["missed"]) == (100, [])
    assert len(record["false_alarms"]) <= 2


def test_copies_are_drawn_about_equally_often_and_anew_each_time(setting):
    draws = [copies_of_training_images(setting.few_shot, 14, np.random.default_rng(seed)) for seed in (0, 1)]
    sources = [pd.Series([picture.source_image_id for picture in draw.values()]).value_counts() for draw in draws]
    assert all(set(counts) == {3, 4} for counts in sources)
    assert not sources[0].sort_index().equals(sources[1].sort_index())
    labels = setting.few_shot.index.set_index("image_id")["label"]
    assert all(labels[picture.source_image_id] == picture.label for picture in draws[0].values())


def test_wrong_labels_are_as_many_as_asked_for_and_wrong(setting):
    right = copies_of_training_images(setting.few_shot, 14, np.random.default_rng(0))
    planted = with_wrong_labels(right, 0.6, np.random.default_rng(0))
    assert sum(planted[name].label != right[name].label for name in right) == 84
    assert all(planted[name].content == right[name].content for name in right)


def test_equal_pictures_are_one_file(tmp_path):
    content = encode_png(smooth_image("garment"))
    images = as_synthetic({"a": Planted(content, "cat"), "b": Planted(content, "dog", "r1")}, tmp_path)
    assert images.index["path"].nunique() == 1
    assert images.index["source_image_id"].fillna("none").tolist() == ["none", "r1"]
    assert images.index["origin"].tolist() == ["synthetic", "synthetic"]
    assert [image.size for image in images] == [(32, 32), (32, 32)]


def verdicts(*words: str) -> list[dict]:
    return [{"verdict": word, "delta": -0.1, "filtered_delta": -0.025} for word in words]


@pytest.mark.parametrize(
    ("name", "records", "words", "met"),
    [
        ("harm", verdicts("hurt", "hurt"), "hurt in 2 of 2; -10.0 points", True),
        ("harm", verdicts("hurt", "inconclusive"), "75% undone", False),
        ("null", verdicts(*["inconclusive"] * 36, *["hurt"] * 4), "inconclusive in 36 of 40", True),
        ("null", verdicts(*["inconclusive"] * 35, *["hurt"] * 5), "inconclusive in 35 of 40", False),
        ("coverage", [{"shares": {"5 seeds": 0.92, "10 seeds": 0.98}}], "92.0% to 98.0% in 2 cells", True),
        ("coverage", [{"shares": {"5 seeds": 0.95, "10 seeds": 0.985}}], "95.0% to 98.5%", False),
    ],
)
def test_what_was_reached_is_measured_by_what_is_required(name, records, words, met):
    reached, is_met = CASES[name].assess(records)
    assert words in reached
    assert is_met == met


@pytest.mark.parametrize(
    ("changes", "words", "met"),
    [
        ({}, "9 of 9 caught; 1 of 100 independent", True),
        ({"missed": ["mirrored/bag"]}, "8 of 9 caught", False),
        ({"false_alarms": ["pool/1", "pool/2"]}, "2 of 100 independent", False),
        ({"run_fails": False}, "the run GOES ON", False),
    ],
)
def test_leaks_have_to_be_caught_without_crying_wolf(changes, words, met):
    record = {"planted": 9, "missed": [], "independent": 100, "false_alarms": ["pool/1"], "run_fails": True} | changes
    reached, is_met = CASES["leak"].assess([record])
    assert words in reached
    assert is_met == met


@pytest.mark.parametrize(("verdict", "status"), [("inconclusive", 0), ("helped", 1)])
def test_finished_repetitions_are_not_done_again_and_a_failure_is_the_exit_status(tmp_path, capsys, verdict, status):
    out = tmp_path / "results.jsonl"
    record = {"case": "null", "verdict": verdict, "delta": 0.02, "seconds_per_training": 2.0}
    lines = [json.dumps({**record, "repetition": repetition}) for repetition in range(2)]
    out.write_text("\n".join([*lines, '{"case": "nul']))
    assert known_truth.main(["null", "--repetitions", "2", "--out", str(out)]) == status
    assert out.read_text().splitlines() == lines
    assert list(tmp_path.iterdir()) == [out]
    printed = capsys.readouterr().out
    assert "| null |" in printed
    assert ("**not met:**" in printed) == bool(status)


@contextmanager
def threads(count: int, workers: int) -> Iterator[list[ThreadPoolExecutor]]:
    with ThreadPoolExecutor(workers) as pool:
        yield [pool] * count


def test_what_is_missing_is_done_and_kept(tmp_path, monkeypatch, capsys):
    done = []

    def run_repetition(folder, name, repetition):
        done.append(repetition)
        return {"case": name, "repetition": repetition, "verdict": "hurt", "delta": -0.1, "filtered_delta": 0.0}

    out = tmp_path / "results.jsonl"
    monkeypatch.setattr(known_truth, "prepare_setting", lambda folder, fashion_mnist: None)
    monkeypatch.setattr(known_truth, "worker_pools", threads)
    monkeypatch.setattr(known_truth, "run_repetition", run_repetition)
    assert known_truth.main(["harm", "--repetitions", "1", "--out", str(out)]) == 0
    assert known_truth.main(["harm", "--repetitions", "3", "--out", str(out)]) == 0
    assert sorted(done) == [0, 1, 2]
    assert known_truth.read_records(out).keys() == {("harm", 0), ("harm", 1), ("harm", 2)}
    assert "hurt in 3 of 3" in capsys.readouterr().out
