"""Rows found by keys, and what becomes of those that others know."""

import numpy as np

from diffaug_pipeline.features.keyed_array import KeyedArray, find_arrays

IDENTITY = {"what": "numbers"}


def settle(folder, keys, known=(), identity=IDENTITY) -> KeyedArray:
    return KeyedArray.settle(folder, identity, keys, known, lambda: (2,), np.float32)


def put(array: KeyedArray, rows: list[int], values: list[list[float]]) -> None:
    array.write(np.array(rows), np.array(values))
    array.commit()


def test_rows_are_found_once_they_are_committed(tmp_path):
    array = settle(tmp_path / "a", ["x", "y", "z"])
    assert array.find(["y", "x"]).tolist() == [-1, -1]
    array.write(np.array([1]), np.array([[3.0, 4.0]]))
    assert array.find(["y"]).tolist() == [-1]
    array.commit()
    assert array.find(["y", "x", "w", "y"]).tolist() == [1, -1, -1, 1]
    assert array.missing().tolist() == [0, 2]
    assert array.read(np.array([1, 1])).tolist() == [[3, 4], [3, 4]]


def test_an_array_of_the_same_keys_is_gone_on_with_and_any_other_replaced(tmp_path):
    put(settle(tmp_path / "a", ["x", "y"]), [0], [[1.0, 1.0]])
    assert settle(tmp_path / "a", ["x", "y"]).missing().tolist() == [1]
    assert settle(tmp_path / "a", ["y", "x"]).missing().tolist() == [0, 1]
    put(settle(tmp_path / "a", ["y", "x"]), [0], [[1.0, 1.0]])
    assert settle(tmp_path / "a", ["y", "x"], identity={"what": "others"}).missing().tolist() == [0, 1]


def test_what_known_arrays_hold_is_copied(tmp_path):
    first, second = settle(tmp_path / "1", ["x", "y"]), settle(tmp_path / "2", ["z", "y", "w"])
    put(first, [1], [[1.0, 2.0]])
    put(second, [0, 1], [[5.0, 6.0], [7.0, 8.0]])
    array = settle(tmp_path / "3", ["w", "z", "x", "y"], [first, second])
    assert array.missing().tolist() == [0, 2]
    assert array.read(np.array([1, 3])).tolist() == [[5, 6], [1, 2]]


def test_the_shape_of_a_row_is_not_asked_for_where_a_known_array_tells_it(tmp_path):
    def refuse() -> tuple[int, ...]:
        raise AssertionError

    known = settle(tmp_path / "1", ["x"])
    array = KeyedArray.settle(tmp_path / "2", IDENTITY, ["y"], [known], refuse, np.float32)
    assert array.row_shape == (2,)


def test_a_known_array_that_goes_away_is_done_without(tmp_path):
    known = settle(tmp_path / "1", ["x"])
    put(known, [0], [[1.0, 1.0]])
    assert known.row_shape == (2,)
    (tmp_path / "1" / "keys.parquet").unlink()
    assert settle(tmp_path / "2", ["x"], [KeyedArray(tmp_path / "1")]).missing().tolist() == [0]


def test_an_array_without_rows(tmp_path):
    array = settle(tmp_path / "a", [])
    assert array.missing().tolist() == []
    assert array.read(array.find([])).shape == (0, 2)


def test_arrays_of_a_kind_are_found_in_sets(tmp_path):
    for name, identity in (("old/one", IDENTITY), ("old/two", {"what": "others"}), ("new/three", IDENTITY)):
        settle(tmp_path / name, ["x"], identity=identity)
    (tmp_path / "new" / "manifest.json").write_text("{}")
    sets = [tmp_path / "new", tmp_path / "gone", tmp_path / "old"]
    assert find_arrays(IDENTITY, sets) == [tmp_path / "new" / "three", tmp_path / "old" / "one"]


def test_values_are_mapped_not_loaded(tmp_path, monkeypatch):
    array = settle(tmp_path / "a", ["x"])
    loaded = []
    monkeypatch.setattr(
        np, "load", lambda path, mmap_mode=None, load=np.load: loaded.append(mmap_mode) or load(path, mmap_mode)
    )
    array.find(["x"])
    array.read(np.array([0]))
    assert loaded == ["r", "r"]
