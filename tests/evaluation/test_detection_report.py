import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from evaluation.detection_cases import arm, detection_set, random_scenes
from evaluation.report_cases import RUN_RECORD, calibration, copies, decisions, history, ingestion_report
from markupsafe import Markup
from PIL import Image

from diffaug_pipeline.evaluation.comparison import compare_arms
from diffaug_pipeline.evaluation.detection_metrics import DetectionOutcomes, summarize_detections
from diffaug_pipeline.evaluation.detection_report import DetectionReportContent, render_detection_report
from diffaug_pipeline.evaluation.figures import draw_arms, draw_learning_curves, draw_per_class
from diffaug_pipeline.evaluation.options import DetectionEvaluationOptions
from diffaug_pipeline.evaluation.sections import Section
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet

OPTIONS = DetectionEvaluationOptions(
    metric="map_50_95",
    confidence=0.95,
    minimum_effect=0.01,
    min_seeds=3,
    bootstrap_samples=200,
    gallery_images=3,
    seed=0,
)
SPITEFUL = "<script>alert(1)</script>"


def renamed(images: ImageSet, label: str, to: str) -> ImageSet:
    boxes = [
        [row | {"label": to if row["label"] == label else row["label"]} for row in rows]
        for rows in images.index["boxes"]
    ]
    return ImageSet(images.index.assign(boxes=boxes))


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> DetectionReportContent:
    """A report whose class `dog` has a spiteful name; the first test image is without an object."""
    rng = np.random.default_rng(0)
    scenes = {split: random_scenes(rng, count) for split, count in (("train", 8), ("val", 4), ("test", 6))}
    scenes["test"][0] = Boxes.of([])
    folder = tmp_path_factory.mktemp("report")
    real = renamed(detection_set(folder / "real", scenes), "dog", SPITEFUL)
    provenance = {"prompt": f"a {SPITEFUL}", "seed": 7, "source_image_id": None}
    made = detection_set(folder / "made", {"train": random_scenes(rng, 10)}, origin="synthetic", **provenance)
    synthetic = renamed(made, "dog", SPITEFUL)
    tables = {
        name: arm(real, skill, seeds=3, salt=salt)
        for salt, (name, skill) in enumerate([("real_only", 0.4), ("augmented", 0.8), ("copy_paste", 0.5)])
    }
    for table in tables.values():
        table["boxes"] = [
            [row | {"label": SPITEFUL if row["label"] == "dog" else row["label"]} for row in rows]
            for rows in table["boxes"]
        ]
    comparison = compare_arms({name: DetectionOutcomes.of(table, real) for name, table in tables.items()}, OPTIONS)
    decided = decisions(synthetic)
    return DetectionReportContent(
        comparison=comparison,
        metrics={name: summarize_detections(table, real) for name, table in tables.items()},
        figures={
            "arms": draw_arms(comparison),
            "per_class": draw_per_class(comparison),
            "learning_curves": draw_learning_curves({name: history() for name in tables}),
        },
        real_images=real,
        synthetic_images=synthetic,
        decisions=decided,
        calibration=calibration(decided, real.class_names),
        copies=copies(synthetic, real),
        audit="Audit: all <well>.",
        sections=[Section("Dose", "twice <as much>", Markup("<b>curve</b>"))],
        ingestion_report=ingestion_report(real),
        run_record=RUN_RECORD,
        warnings=["only <a warning>"],
        notes=["from <nowhere>"],
        gallery_images=OPTIONS.gallery_images,
        predictions=tables,
    )


@pytest.fixture(scope="module")
def page(content) -> str:
    return render_detection_report(content)


def pictures_in(html: str) -> list[np.ndarray]:
    encoded = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(picture))), dtype=int) for picture in encoded]


def section(page: str, title: str) -> str:
    return page.split(f"<h2>{title}</h2>")[1].split("</section>", maxsplit=1)[0]


def gallery(page: str, title: str) -> str:
    return section(page, "Pictures").split(f"<h3>{title} ")[1].split("<h3>")[0]


def test_the_page_says_what_it_rests_on(content, page):
    assert f"{100 * content.comparison['delta']:+.1f} points mAP50-95</h1>" in page
    assert "mAP75, %" in section(page, "Arms")
    assert "real objects cut out and pasted onto real images" in page
    assert "augmented − copy_paste, mAP50-95" in page
    filters = section(page, "Filter")
    assert "2 of 10 synthetic images accepted" in filters
    assert "detection_controls tells" in filters
    assert re.search(r"<td>clip_score</td>.*?>7</td><td class=\"number\">2</td>", filters, re.DOTALL)
    assert "3 boxes show what a person labelled" in filters
    assert "undeclared_objects" in filters
    assert re.search(r"of objects that no box explains.*?>–</td>", filters, re.DOTALL)
    assert "Audit: all &lt;well&gt;." in page.split("<h2>Arms</h2>")[0]
    assert "twice &lt;as much&gt;</summary>" in page
    assert "<b>curve</b>" in section(page, "Dose")
    dataset = section(page, "Dataset")
    assert "cut at the border" in dataset
    assert re.search(r"without an object</td>.*?>1</td></tr>", dataset)


def test_text_of_the_users_is_escaped(page):
    assert SPITEFUL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for text in ("<a warning>", "<nowhere>", "<i>a</i>", "broken<1>", "<birds>", "<b>bold</b>"):
        assert text not in page


def test_boxes_are_drawn(content, page):
    train = content.real_images.where(split="train")
    with_boxes = pictures_in(gallery(page, "Real training images"))
    assert len(with_boxes) == 3
    bare = replace(content, real_images=ImageSet(train_without_boxes(content.real_images)))
    without = pictures_in(gallery(render_detection_report(bare), "Real training images"))
    boxes = train.boxes[0]
    scale = with_boxes[0].shape[0] / train.index["height_px"].iloc[0]
    left, _, _, bottom = (boxes.xyxy[0] * scale).astype(int)
    assert abs(with_boxes[0] - without[0])[bottom - 2, left + 1].sum() > 60


def train_without_boxes(real: ImageSet):
    train = real.index["split"] == "train"
    return real.index.assign(
        boxes=[[] if gone else rows for gone, rows in zip(train, real.index["boxes"], strict=True)]
    )


def test_what_the_networks_see_is_shown_side_by_side_even_where_there_is_nothing(content, page):
    seen = gallery(page, "What the networks see")
    assert len(pictures_in(seen)) == 3 * 3
    assert re.findall(r"<figcaption><b>(\w+)</b>", seen)[:3] == ["truth", "real_only", "augmented"]
    assert "no objects" in seen
    silent = {name: table.assign(boxes=[[] for _ in range(len(table))]) for name, table in content.predictions.items()}
    assert "no detections" in render_detection_report(replace(content, predictions=silent))


def test_rejected_scenes_are_shown_under_the_rule_that_rejected_them(content, page):
    for rule in content.calibration["rules"]:
        ids = content.decisions["image_id"][content.decisions["reason"] == rule]
        shown = gallery(page, f"Rejected by {rule}")
        assert len(ids) == 2
        assert len(pictures_in(shown)) == 2 * len(ids)  # each beside the real one it is nearest to
        assert all(image_id in shown for image_id in ids)


def test_rules_that_are_switched_off_or_left_out_are_told_apart(content):
    calibrated = content.calibration
    rules = {rule: options for rule, options in calibrated["rules"].items() if rule != "detector_agreement"}
    silenced = {"rules": rules, "rules_switched_off": ["zero_shot"], "switched_off": "CLIP knows no dogs."}
    decided = content.decisions.drop(columns="detector_agreement")
    page = render_detection_report(replace(content, decisions=decided, calibration=calibrated | silenced))
    assert "Rejected by detector_agreement" not in page
    assert "confirmed at IoU" not in page
    assert re.search(r"zero_shot <span class=\"soft\">\(off\)</span>", page)
    assert "CLIP knows no dogs." in section(page, "Filter")


def test_no_gallery_is_asked_for(content):
    assert not pictures_in(render_detection_report(replace(content, gallery_images=0)))
