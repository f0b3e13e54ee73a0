"""The dataset card: what the dataset is, how it was made, with what, and what its figures do not say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from diffaug_pipeline.embedded import embedded_folder
from diffaug_pipeline.evaluation.comparison import describe_comparison
from diffaug_pipeline.evaluation.filter_rules import (
    DESCRIPTIONS,
    SCENE_DESCRIPTIONS,
    describe_by_hand,
    tabulate_rules,
)
from diffaug_pipeline.export.licences import Ingredient
from diffaug_pipeline.formats.image_folder import class_folders
from diffaug_pipeline.formats.parquet_writing import SPLIT_NAMES
from diffaug_pipeline.formats.provenance import SOFTWARE
from diffaug_pipeline.imaging.image_set import ImageSet

HUB_TASKS = {"label": "image-classification", "boxes": "object-detection"}
HUB_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
LARGER = "10M<n<100M"
RULES_ABOUT_LABELS = {"clip_score", "zero_shot", "task_model", "detector_agreement"}
"""Of the filter; the others do not ask what an image shows."""
SETTINGS = (
    "mode",
    "strategy",
    "scheduler",
    "num_inference_steps",
    "guidance_scale",
    "strength",
    "eta",
    "timestep_spacing",
    "negative_prompt",
)
SHOWN_VALUES = 5
COLUMNS_OF_COUNTS = (
    ("train, real", "train", "real"),
    ("train, synthetic", "train", "synthetic"),
    ("val, real", "val", "real"),
    ("test, real", "test", "real"),
)


@dataclass(frozen=True)
class CardContent:
    """Everything a card tells, whatever the format."""

    task: str
    dataset: str
    """Where the real images come from."""
    images: ImageSet
    """All that is exported."""
    training_set: ImageSet
    ingredients: list[Ingredient]
    calibration: dict[str, Any]
    """Of the filter."""
    audit: str
    comparison: dict[str, Any] | None
    """None where no network was trained."""
    run_id: str
    """Of the run that made the training set."""


def render_card(content: CardContent, format_name: str) -> str:
    """The card, Markdown under a header in YAML, as the Hugging Face hub and `datasets` read it."""
    images, synthetic = content.images, content.images.where(origin="synthetic")
    descriptions = DESCRIPTIONS if images.target == "label" else SCENE_DESCRIPTIONS
    return (
        _environment()
        .get_template("card.md.jinja")
        .render(
            content=content,
            format=format_name,
            header=yaml.safe_dump(_header(content, format_name), sort_keys=False, allow_unicode=True, width=1_000),
            name=_name(content.dataset),
            software=SOFTWARE,
            counted=_count_images(images),
            classes=_count_classes(images),
            objects="images" if images.target == "label" else "boxes",
            splits=sorted(images.index["split"].unique()),
            settings=_settings(synthetic),
            prompts=synthetic.index["prompt"].dropna().unique().tolist(),
            rules=tabulate_rules(content.calibration, descriptions),
            thresholds=_thresholds(content.calibration["thresholds"]),
            by_hand=describe_by_hand(content.calibration),
            composites=int(synthetic.index["digital_source_type"].str.contains("composite").sum()),
            verdict=content.comparison and describe_comparison(content.task, content.comparison),
            mixing=describe_mixing(content.training_set),
            is_checked=bool(RULES_ABOUT_LABELS & _active_rules(content.calibration)),
            is_looked_at=any(content.calibration["by_hand"][verdict] for verdict in ("kept", "rejected")),
            is_renumbered=images.target == "label" and _is_renumbered(images.class_names),
            is_demonstration=all(map(embedded_folder, [content.dataset, *synthetic.index["model"].unique()])),
        )
    )


def describe_mixing(training_set: ImageSet) -> str:
    """How often the arm augmented met synthetic images, in one sentence."""
    rows = training_set.index
    synthetic, late_from = rows["origin"] == "synthetic", rows["late_from"].iloc[0]
    early, late = (100 * rows.loc[synthetic, column].sum() for column in ("sampling_weight", "late_sampling_weight"))
    shares = f"{early:.0f} % of the images drawn were synthetic"
    if late_from < 1:
        shares += f" in the first {100 * late_from:.0f} % of the steps, {late:.0f} % afterwards"
    weight = rows.loc[synthetic, "loss_weight"].iloc[0]
    return shares + (f"; their loss counted {weight:g} times that of real ones" if weight != 1 else "")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("diffaug_pipeline.export"),
        autoescape=False,  # it is Markdown; `cell` escapes what is not ours
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = cell
    environment.filters["public"] = public_name
    environment.filters["percent"] = lambda share: "–" if share is None else f"{100 * share:.1f}"
    return environment


def cell(value: Any) -> str:
    r"""A value as text that cannot break out of a cell of a Markdown table, or become HTML.

    >>> cell("a|b\n<script>")
    'a\\|b &lt;script>'
    """
    return " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def public_name(name: str) -> str:
    """A model or dataset without the folders above it, which are nobody else's business.

    >>> public_name("/home/me/my pictures"), public_name("openai/clip-vit-base-patch32")
    ('my pictures', 'openai/clip-vit-base-patch32')
    """
    return Path(name).name if Path(name).is_absolute() else name


def _header(content: CardContent, format_name: str) -> dict[str, Any]:
    images = content.images
    header: dict[str, Any] = {
        "pretty_name": f"{_name(content.dataset)} with synthetic images",
        "license": "other",
        "license_name": "of-its-parts",
        "license_details": "; ".join(
            f"{one.role}: {public_name(one.name)}, {one.terms}" for one in content.ingredients
        ),
        "task_categories": [HUB_TASKS[images.target]],
        "tags": ["synthetic", "diffusion", "data-augmentation"],
        "size_categories": [next((name for most, name in HUB_SIZES if len(images) < most), LARGER)],
    }
    if format_name == "parquet":
        present = set(images.index["split"])
        files = [{"split": name, "path": f"data/{name}-*"} for split, name in SPLIT_NAMES.items() if split in present]
        # `datasets` caches by the folder's name and this header alone, and would take another dataset for this one
        header["configs"] = [{"config_name": f"images-{_digest(images)}", "data_files": files}]
    return header


def _digest(images: ImageSet) -> str:
    """Names pictures, splits, targets and weights."""
    digest = hashlib.sha256()
    columns = (images.index[column] for column in ("image_id", "sha256", "split", "sampling_weight"))
    targets = images.index["label"] if images.target == "label" else (boxes.records() for boxes in images.boxes)
    for row in zip(*columns, targets, strict=True):
        digest.update(repr(row).encode())
    return digest.hexdigest()[:12]


def _active_rules(calibration: Mapping[str, Any]) -> set[str]:
    return set(calibration["rules"]) - set(calibration["rules_switched_off"])


def _is_renumbered(class_names: list[str]) -> bool:
    """Whether folders of classes sort in another order than the classes."""
    folders = list(class_folders(class_names).values())
    return folders != sorted(folders)


def _name(dataset: str) -> str:
    return dataset.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _count_images(images: ImageSet) -> dict[str, int]:
    counts = images.index.groupby(["split", "origin"]).size()
    return {title: int(counts.get((split, origin), 0)) for title, split, origin in COLUMNS_OF_COUNTS}


def _count_classes(images: ImageSet) -> dict[str, dict[str, int]]:
    """Images, or boxes that count, by class."""
    rows = images.index[["split", "origin"]]
    if images.target == "label":
        rows = rows.assign(label=images.index["label"])
    else:
        rows = rows.assign(label=[boxes.counted().labels.tolist() for boxes in images.boxes]).explode("label")
    counts = rows.groupby(["label", "split", "origin"]).size()
    return {
        name: {title: int(counts.get((name, split, origin), 0)) for title, split, origin in COLUMNS_OF_COUNTS}
        for name in images.class_names
    }


def _settings(synthetic: ImageSet) -> dict[str, str]:
    """The different values of each setting, of the images that have it."""
    shown = {}
    for column in SETTINGS:
        values = [value for value in synthetic.index[column].dropna().unique().tolist() if value != ""]
        if values:
            more = f", and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
            shown[column] = ", ".join(map(str, values[:SHOWN_VALUES])) + more
    return shown


def _thresholds(by_rule: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Rule, score, and the threshold or, where classes have their own, the range of these."""
    rows = []
    for rule, by_column in by_rule.items():
        for column, threshold in by_column.items():
            values = threshold.values() if isinstance(threshold, Mapping) else [threshold]
            low, high = f"{min(values):.3g}", f"{max(values):.3g}"
            rows.append((rule, column, low if low == high else f"{low} to {high}, by class"))
    return rows
