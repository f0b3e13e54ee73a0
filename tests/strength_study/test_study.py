"""The whole study, node by node, with tiny real models."""

from pathlib import Path

import numpy as np
import pytest
from evaluation.report_cases import RUN_RECORD
from factories import generator_preset, real_image_set, synthesis_options
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.runner import SequentialRunner
from PIL import Image
from strength_study.study_cases import VOCABULARIES, judging_options, study_options

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.ingestion.options import IngestionOptions
from diffaug_pipeline.pipeline_registry import register_pipelines
from diffaug_pipeline.prompts.options import PromptOptions
from diffaug_pipeline.synthesis.options import Generators

STRENGTHS = [0.2, 0.6, 1.0]


class KeptDataset(MemoryDataset):
    """In memory until the test has seen it."""

    def _release(self) -> None:
        pass


@pytest.fixture(scope="module")
def study(tiny_generator: Path, tiny_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What all nodes made, by name without the namespace."""
    folder = tmp_path_factory.mktemp("study")
    ingestion = {"dataset": "my pictures", "near_duplicate_distance": 0.02}
    given = {
        "classification.real_images": real_image_set(folder / "real", {"train": 3, "val": 1, "test": 2}),
        "run_record": RUN_RECORD,
        "params:generators": Generators({"tiny": generator_preset(str(tiny_generator))}),
        "params:vocabularies": VOCABULARIES,
        "params:classification.prompts": PromptOptions(vocabulary=None, wording={}),
        "params:classification.ingestion": IngestionOptions.model_construct(**ingestion),
        "params:strength_study.study": study_options(),
        "params:strength_study.judging": judging_options(clip_model=str(tiny_clip)),
        "params:strength_study.synthesis": synthesis_options(
            mode="image_to_image", images_per_class=4, strength=STRENGTHS
        ),
    }
    pipeline = register_pipelines()["strength_study"].only_nodes_with_namespaces(["strength_study"])
    images = "strength_study.synthetic_images"
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in given.items()})
    for name in pipeline.all_outputs():
        catalog[name] = KeptDataset()
    catalog[images] = ImageSetDataset(filepath=str(folder / "images"), version=Version("v1", "v1"))
    SequentialRunner().run(pipeline, catalog)
    return {name.removeprefix("strength_study."): catalog.load(name) for name in pipeline.all_outputs()}


def test_every_planned_picture_is_made_and_measured(study):
    plan, measures = study["synthesis_plan"], study["measures"]
    assert len(plan) == len(study["synthetic_images"]) == 2 * 2 * 3 * 2
    results, sources = (measures[measures["origin"] == origin] for origin in ("synthetic", "real"))
    assert set(results["image_id"]) == set(plan["image_id"])
    assert set(sources["image_id"]) == set(plan["source_image_id"])
    assert results.drop(columns="label").notna().all(axis=None)


def test_the_stronger_the_less_like_the_source(study):
    summary = study["summary"]
    assert summary["strength"].tolist() == STRENGTHS
    assert summary["model_evaluations"].tolist() == [1, 3, 5]
    assert summary["ssim"].iloc[0] > summary["ssim"].iloc[-1]


def test_the_contact_sheet_has_sources_in_rows_and_strengths_in_columns(study):
    sheet, images = np.asarray(study["contact_sheet"]), study["synthetic_images"]
    first = images.index[images.index["strength"] == 0.6].iloc[0]["image_id"]
    shown = np.asarray(images.read(first).resize((96, 96), Image.Resampling.NEAREST))
    tops, lefts = np.nonzero((sheet == shown[0, 0]).all(-1))
    assert any(np.array_equal(sheet[y : y + 96, x : x + 96], shown) for y, x in zip(tops, lefts, strict=True))
    assert sheet.shape[0] > 3 * 96
    assert sheet.shape[1] > 4 * 96


def test_the_page_tells_what_was_recommended(study):
    assert study["recommendation"]["title"] in study["report"]
    assert "my pictures" in study["report"]
    assert "data:image/jpeg;base64," in study["report"]
