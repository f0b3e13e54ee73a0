import os

from diffaug_pipeline.versions.sizes import Size, measure


def test_what_is_linked_from_elsewhere_is_not_freed(tmp_path):
    gone, stays = tmp_path / "gone", tmp_path / "stays"
    (gone / "deeper").mkdir(parents=True)
    stays.mkdir()
    (gone / "alone").write_bytes(b"1234")
    (gone / "deeper" / "shared").write_bytes(b"12345678")
    os.link(gone / "deeper" / "shared", stays / "shared")
    assert measure([gone]) == Size(files=2, bytes=12, freed_bytes=4)
    assert measure([gone, stays]) == Size(files=3, bytes=20, freed_bytes=12)
    free = sum(path.stat().st_size for path in gone.rglob("*") if path.is_file() and path.stat().st_nlink == 1)
    assert measure([gone]).freed_bytes == free


def test_a_file_is_a_place_and_what_is_gone_has_no_size(tmp_path):
    (tmp_path / "file").write_bytes(b"123")
    assert measure([tmp_path / "file", tmp_path / "gone"]) == Size(files=1, bytes=3, freed_bytes=3)


def test_links_to_other_places_are_not_followed(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "large").write_bytes(bytes(100_000))
    (tmp_path / "version").mkdir()
    (tmp_path / "version" / "link").symlink_to(tmp_path / "photos")
    assert measure([tmp_path / "version"]).bytes < 1_000
