import numpy as np

from diffaug_pipeline.mapped_array import create_mapped_array


def test_it_is_an_ordinary_file_of_zeros_that_writes_go_through_to(tmp_path):
    array = create_mapped_array(tmp_path / "a.npy", np.float32, (3, 2))
    np.save(tmp_path / "ordinary.npy", np.zeros((3, 2), np.float32))
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "ordinary.npy").read_bytes()
    array[1] = 7
    array.flush()
    assert np.load(tmp_path / "a.npy").tolist() == [[0, 0], [7, 7], [0, 0]]
