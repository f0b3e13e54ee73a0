import pytest
from factories import draw_scenes, write_labelled_folder, write_yolo_folder

from diffaug_pipeline.doctor import dataset
from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions, IngestionOptions, ReadingOptions


@pytest.fixture
def options(opened) -> IngestionOptions:
    return opened.parameters("params:classification.ingestion")


@pytest.fixture
def detection_options(opened) -> DetectionIngestionOptions:
    return opened.parameters("params:detection.ingestion")


def check(options: ReadingOptions, folder) -> list:
    return list(dataset.check_dataset(options.model_copy(update={"dataset": str(folder)})))


def test_refused_files_are_counted_and_named(options, tmp_path):
    write_labelled_folder(tmp_path)
    contents = dataset.look_into(options.model_copy(update={"dataset": str(tmp_path)}))
    assert contents.refused
    (finding,) = check(options, tmp_path)
    assert finding.level == "advice"
    assert f"{len(contents.refused)} files are refused, e.g. {next(iter(contents.refused))}: " in finding.says
    assert (
        f"image_folder, {contents.images} images; {len(contents.class_names)} classes, of each train " in finding.says
    )


def test_a_dataset_with_boxes_is_counted_in_boxes(detection_options, tmp_path):
    folder = write_yolo_folder(tmp_path)
    contents = dataset.look_into(detection_options.model_copy(update={"dataset": str(folder)}))
    sizes = [scene.image.size for scene in draw_scenes({"train": 8, "val": 4, "test": 6})]
    assert contents.mean_pixels == pytest.approx(sum(width * height for width, height in sizes) / len(sizes), rel=0.2)
    (finding,) = check(detection_options, folder)
    assert "yolo, " in finding.says
    assert set(contents.classes) == {"train", "val", "test"}


def test_of_a_large_dataset_a_part_is_opened_and_all_is_counted(options, detection_options, tmp_path, monkeypatch):
    write_labelled_folder(tmp_path / "a")
    write_yolo_folder(tmp_path / "b")
    whole = dataset.look_into(detection_options.model_copy(update={"dataset": str(tmp_path / "b")}))
    monkeypatch.setattr(dataset, "READ_WHOLE", 5)
    dataset.look_into.cache_clear()
    (finding,) = check(options, tmp_path / "a")
    assert finding.says.split("; ")[2] == "5 of them were opened"
    part = dataset.look_into(detection_options.model_copy(update={"dataset": str(tmp_path / "b")}))
    assert part.opened == 5 < whole.images <= part.images
    counted = {split: sum(counts.values()) for split, counts in part.classes.items()}
    assert all(counted[split] >= sum(counts.values()) for split, counts in whole.classes.items())
    dataset.look_into.cache_clear()


def test_a_dataset_that_is_not_there_is_refused(options, tmp_path):
    with pytest.raises(DatasetFormatError, match=r"gone' does not exist; set ingestion\.dataset to"):
        check(options, tmp_path / "gone")
