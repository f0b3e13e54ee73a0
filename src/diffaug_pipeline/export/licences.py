"""What an exported dataset contains and was made with, under which licences, and whether these allow the use."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diffaug_pipeline.errors import LicenceError, ParameterError
from diffaug_pipeline.export.options import ExportOptions, Licence, Licences
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.labelling.options import LabellingOptions
from diffaug_pipeline.synthesis.adapters import read_adapters
from diffaug_pipeline.synthesis.options import Generators

ULTRALYTICS = "ultralytics"
RULES_OF_DETECTORS = ("detector_agreement", "undeclared_objects")
"""Rules of the filter that ask YOLOs trained on the real images."""


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
    labelling: LabellingOptions | None,
    generators: Generators,
    licences: Licences,
) -> list[Ingredient]:
    """The real images, then models in the order in which they came in.

    `images` are those to export, `dataset` is where the real ones come from, `calibration` the filter's. Licences are
    looked up in `licences`, then in the presets of generators. Raises `ParameterError` if `labelling` is not what the
    scenes were made with.
    """
    presets = {
        preset.model: Licence(licence=preset.licence, commercial_use=preset.commercial_use)
        for preset in generators.root.values()
    }
    known = presets | licences.root
    named = [*_generators_of(images), *_labellers(images, labelling), *_judges(calibration)]
    if (images.index["origin"] == "real").any() or images.index["source_image_id"].notna().any():
        named.insert(0, ("real images", dataset, None))
    return [Ingredient(role, name, revision, known.get(name)) for role, name, revision in named]


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


def _labellers(images: ImageSet, labelling: LabellingOptions | None) -> list[tuple[str, str, str | None]]:
    """Models that cut objects out or found them."""
    if labelling is None:
        return []
    if other := sorted(set(images.index["strategy"].dropna()) - {labelling.strategy}):
        raise ParameterError(
            f"labelling.strategy is {labelling.strategy}, but the scenes to export were made with {', '.join(other)}; "
            "which models had a hand in them is read from labelling: set it as it was."
        )
    composition, detecting = labelling.composition, labelling.pseudo_labelling
    if labelling.strategy == "composition" and composition.matting == "clip_segmentation":
        return [("matting", composition.matting_model, None)]
    if labelling.needs_references:
        return [("detectors trained on the real images, which say the boxes", ULTRALYTICS, None)]
    if labelling.strategy == "pseudo_labelling":
        return [("detector that says the boxes", detecting.detector, detecting.revision)]
    return []


def _judges(calibration: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    named = [("scorer of the filter", calibration["scorer"], calibration["scorer_revision"])]
    if set(RULES_OF_DETECTORS) & calibration["rules"].keys():
        named.append(("detectors trained on the real images, which the filter asks", ULTRALYTICS, None))
    return named
