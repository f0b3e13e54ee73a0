import numpy as np
import pandas as pd
import pytest

from diffaug_pipeline.training.sampling import draw_batches


def throughout(table: pd.DataFrame, weights: list[float]) -> pd.DataFrame:
    return table.assign(sampling_weight=weights, late_sampling_weight=weights, late_from=1.0)


def rows(real: dict[str, int], synthetic: dict[str, int], probability: float = 0.3) -> pd.DataFrame:
    table = pd.DataFrame(
        [(label, "real") for label, count in real.items() for _ in range(count)]
        + [(label, "synthetic") for label, count in synthetic.items() for _ in range(count)],
        columns=["label", "origin"],
    )
    share = sum(real.values())
    weights = []
    for label, origin in table.itertuples(index=False):
        replaced = probability if synthetic.get(label) else 0.0
        part = replaced / synthetic[label] if origin == "synthetic" else (1 - replaced) / real[label]
        weights.append(real[label] / share * part)
    return throughout(table, weights)


def draw(table: pd.DataFrame, seed: int = 0, steps: int = 400, batch_size: int = 40) -> np.ndarray:
    return draw_batches(table, steps, batch_size, np.random.default_rng(seed))


def test_rows_come_as_often_as_their_weight_says():
    table = rows({"cat": 5, "dog": 15}, {"cat": 3, "dog": 7})
    counts = np.bincount(draw(table).ravel(), minlength=len(table)) / 16_000
    np.testing.assert_allclose(counts, table["sampling_weight"], rtol=0.2)
    synthetic = (table["origin"] == "synthetic").to_numpy()
    assert counts[synthetic].sum() == pytest.approx(0.3, abs=0.01)


def test_classes_are_balanced_within_every_batch():
    table = rows({"cat": 10, "dog": 10}, {})
    labels = table["label"].to_numpy()[draw(table)]
    assert set((labels == "cat").sum(1)) == {20}


def test_arms_of_one_seed_share_every_real_image_that_is_not_replaced():
    real_only = rows({"cat": 8, "dog": 8}, {})
    augmented = rows({"cat": 8, "dog": 8}, {"cat": 30, "dog": 5})
    first, second = draw(real_only), draw(augmented)
    kept = second < len(real_only)
    assert kept.mean() == pytest.approx(0.7, abs=0.02)
    assert (first[kept] == second[kept]).all()
    assert (real_only["label"].to_numpy()[first] == augmented["label"].to_numpy()[second]).all()


def test_other_seeds_draw_otherwise_and_the_same_seed_the_same():
    table = rows({"cat": 8, "dog": 8}, {"cat": 4})
    assert (draw(table, 1) == draw(table, 1)).all()
    assert (draw(table, 1) != draw(table, 2)).any()


def test_a_set_of_synthetic_images_alone_can_be_drawn():
    table = throughout(pd.DataFrame({"label": ["cat", "cat", "dog"], "origin": "synthetic"}), [0.25, 0.25, 0.5])
    assert set(draw(table).ravel()) == {0, 1, 2}


def scheduled(late_from: float) -> pd.DataFrame:
    """Cats are synthetic alone, then real alone; there are no synthetic dogs."""
    early, late = rows({"cat": 6, "dog": 6}, {"cat": 4}, 1.0), rows({"cat": 6, "dog": 6}, {"cat": 4}, 0.0)
    return early.assign(late_sampling_weight=late["sampling_weight"], late_from=late_from)


@pytest.mark.parametrize("late_from", [0.25, 0.7])
def test_late_weights_hold_from_their_share_of_the_steps_on(late_from):
    table = scheduled(late_from)
    drawn, change = draw(table), round(400 * late_from)
    for part, weight in ((drawn[:change], "sampling_weight"), (drawn[change:], "late_sampling_weight")):
        counts = np.bincount(part.ravel(), minlength=len(table)) / part.size
        np.testing.assert_allclose(counts, table[weight], rtol=0.2)
        assert set(part.ravel()) <= set(np.flatnonzero(table[weight]))


def test_a_schedule_keeps_every_real_image_that_is_not_replaced_and_the_classes_of_all_draws():
    first, second = draw(rows({"cat": 6, "dog": 6}, {})), draw(scheduled(0.5))
    kept = second < 12
    assert (first[kept] == second[kept]).all()
    assert kept[200:].all()
    assert kept[:200].mean() == pytest.approx(0.5, abs=0.001)
    assert (first[~kept] < 6).all()


def test_a_row_without_weight_is_never_drawn():
    table = throughout(pd.DataFrame({"label": ["cat", "cat", "dog", "eel"], "origin": "real"}), [0.0, 0.5, 0.5, 0.0])
    assert set(draw(table).ravel()) == {1, 2}
