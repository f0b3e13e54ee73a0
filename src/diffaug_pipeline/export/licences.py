"""What an exported dataset contains and was made with, under which licences, and whether these allow the use."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.errors import LicenceError
from diffaug_pipeline.export.options import ExportOptions, Licence, Licences
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.options import REFERENCES
from diffaug_pipeline.synthesis.adapters import read_adapters
from diffaug_pipeline.synthesis.options import Generators
from diffaug_pipeline.training.folds import read_config, read_folds

ULTRALYTICS, TORCHVISION_WEIGHTS = "ultralytics", "DEFAULT"
LABELLERS = {"composition": "matting", "pseudo_labelling": "detector that says the boxes"}
"""What a model besides the generator does for scenes, by label strategy."""


@dataclass(frozen=True)
class Ingredient:
    """A model, or real images, without which the dataset would be another."""

    role: str
    name: str
    revision: str | None
    licence: Licence | None
    """None where nothing is known."""

    @property
    def allows_commercial_use(self) -> bool:
        """Whether it is known to."""
        return self.licence is not None and self.licence.commercial_use

    @property
    def terms(self) -> str:
        """The name of the licence."""
        return "unknown" if self.licence is None else self.licence.licence


def find_ingredients(
    images: ImageSet,
    dataset: str,
    calibration: Mapping[str, Any],
    references: Checkpoint,
    generators: Generators,
    licences: Licences,
) -> list[Ingredient]:
    """The real images, then the models that made, labelled or chose images.

    `images` are those to export, `dataset` is where the real ones come from, `calibration` the filter's, `references`
    see `training.folds`. Licences are looked up in `licences`, then in the presets of generators.
    """
    known = known_licences(generators, licences)
    named = [
        ("real images", dataset, None),
        *_generators_of(images),
        *_labellers_of(images),
        *_networks_of(references, images.target),
        ("scorer of the filter", calibration["scorer"], calibration["scorer_revision"]),
    ]
    return [Ingredient(role, name, revision, known.get(name)) for role, name, revision in named]


def known_licences(generators: Generators, licences: Licences) -> dict[str, Licence]:
    """By the name that parameters give a model or a dataset."""
    presets = {
        preset.model: Licence(licence=preset.licence, commercial_use=preset.commercial_use)
        for preset in generators.root.values()
    }
    return presets | licences.root


def check_licences(ingredients: Iterable[Ingredient], options: ExportOptions) -> None:
    """Raises `LicenceError` where the intended use is commercial and something is not known to allow it."""
    if options.intended_use == "research":
        return
    forbidding = [one for one in ingredients if not one.allows_commercial_use]
    if forbidding:
        named = "; ".join(f"{one.name} ({one.role}), licence {one.terms}" for one in forbidding)
        declared = json.dumps({forbidding[0].name: {"licence": "…", "commercial_use": True}}, ensure_ascii=False)
        raise LicenceError(
            f"export.intended_use is commercial, but not known to allow that are: {named}. Make the images with "
            "others, set export.intended_use: research, or, where you have read the licence and know better, put it "
            f"into conf/local/parameters.yml, e.g. licences: {declared}"
        )


def _generators_of(images: ImageSet) -> list[tuple[str, str, str | None]]:
    made = images.where(origin="synthetic").index[["model", "model_revision", "adapters"]].drop_duplicates()
    named = []
    for row in made.itertuples():
        named.append(("generator", row.model, row.model_revision))
        adapters = read_adapters(row.adapters)
        named += [(f"adapter of {row.model}", adapter.model, adapter.revision) for adapter in adapters]
    return list(dict.fromkeys(named))


def _labellers_of(images: ImageSet) -> list[tuple[str, str, str | None]]:
    """Models that cut objects out or found them."""
    labelled = images.index[images.index["labeller"].notna() & (images.index["labeller"] != REFERENCES)]
    rows = labelled[["strategy", "labeller", "labeller_revision"]].drop_duplicates()
    return [(LABELLERS[row.strategy], row.labeller, row.labeller_revision) for row in rows.itertuples()]


def _networks_of(references: Checkpoint, target: str) -> list[tuple[str, str, str | None]]:
    """Whose the networks are that filter, label or share out the budget, and what they start from."""
    if not read_folds(references):
        return []
    config, named = read_config(references), []
    if target == "boxes":
        named.append(("detectors trained on the real images, which judge or label", ULTRALYTICS, None))
    if (weights := config["weights"]) is not None:
        name = f"torchvision:{config['architecture']}" if weights == TORCHVISION_WEIGHTS else weights
        named.append(("weights that networks which judge or label start from", name, None))
    return named
