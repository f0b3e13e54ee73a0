"""What a person decides about a filter: other thresholds, and single images; a YAML file that the next run reads.

    thresholds:                       # by rule and score column, in place of what real training images set
      blank: {contrast: 0.05}
      clip_score: {clip_score: {coat: 0.61}}   # by class, or one number for all
    keep: {"classification:coat:00012": 3f9c…}   # image id: recipe
    reject: {}

Columns are those that the modules of `rules` describe; of scenes, those of their boxes. Which rules and columns there
are, with their ranges, `ThresholdOverrides` says: those whose verdict follows from stored scores.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.filtering.judging import Thresholds

logger = logging.getLogger(__name__)

ONE, BY_CLASS = "one number", "by class"


class _Override(BaseModel):
    """Closed and frozen like parameters, but what is left out is not overridden."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


Share = Annotated[float, Field(ge=0, le=1)]
ClipScore = Annotated[float, Field(ge=0, le=2.5)]
Margin = Annotated[float, Field(ge=-1, le=1)]


def _one_or_by_class(number: Any) -> Any:
    return Annotated[
        Annotated[number, Tag(ONE)] | Annotated[dict[str, number], Tag(BY_CLASS)],
        Discriminator(lambda given: BY_CLASS if isinstance(given, dict) else ONE),
    ]


class BlankOverride(_Override):
    """At least."""

    contrast: Annotated[float, Field(ge=0, le=0.5)] | None = None
    midtones: Share | None = None


class ClipScoreOverride(_Override):
    """At least."""

    clip_score: _one_or_by_class(ClipScore) | None = None


class ZeroShotOverride(_Override):
    """At least."""

    zero_shot_margin: _one_or_by_class(Margin) | None = None


class MemorisationOverride(_Override):
    """At least."""

    source_distance: Share | None = None


class DetectorAgreementOverride(_Override):
    """At least."""

    detector_iou: Share | None = None


class UndeclaredObjectsOverride(_Override):
    """At most."""

    undeclared_objects: Annotated[float, Field(ge=0)] | None = None


class NearDuplicatesOverride(_Override):
    """More than."""

    near_duplicate_distance: Share | None = None


class ThresholdOverrides(_Override):
    """By rule."""

    blank: BlankOverride = BlankOverride()
    clip_score: ClipScoreOverride = ClipScoreOverride()
    zero_shot: ZeroShotOverride = ZeroShotOverride()
    memorisation: MemorisationOverride = MemorisationOverride()
    detector_agreement: DetectorAgreementOverride = DetectorAgreementOverride()
    undeclared_objects: UndeclaredObjectsOverride = UndeclaredObjectsOverride()
    near_duplicates: NearDuplicatesOverride = NearDuplicatesOverride()


class Overrides(_Override):
    """See the module."""

    thresholds: ThresholdOverrides = ThresholdOverrides()
    keep: dict[str, str] = {}
    """Images accepted whatever rules and selection say, unless they copy a validation or test image: id and recipe."""
    reject: dict[str, str] = {}
    """Images rejected whatever rules say: id and recipe."""

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if both := sorted(self.keep.keys() & self.reject.keys()):
            raise ValueError(f"{', '.join(both[:5])} stands under keep and under reject; leave it in one of them")
        return self

    def as_document(self) -> dict[str, Any]:
        """What is overridden, and nothing else, as plain values."""
        thresholds = self.thresholds.model_dump(exclude_none=True)
        return {
            "thresholds": {rule: columns for rule, columns in thresholds.items() if columns},
            "keep": dict(self.keep),
            "reject": dict(self.reject),
        }

    def with_threshold(
        self, rule: str, column: str, needed: float, class_name: str | None = None, class_names: Sequence[str] = ()
    ) -> Self:
        """With `needed` of all classes, or of `class_name` alone; what was set of all `class_names` stays as it was."""
        document = self.as_document()
        of_rule = document["thresholds"].setdefault(rule, {})
        earlier = of_rule.get(column, {})
        if class_name is not None:
            by_class = earlier if isinstance(earlier, dict) else dict.fromkeys(class_names, earlier)
            of_rule[column] = by_class | {class_name: needed}
        else:
            of_rule[column] = needed
        return self.model_validate(document)

    def with_verdict(self, image_id: str, recipe: str, verdict: Literal["keep", "reject"] | None) -> Self:
        """With one image kept, rejected or left to the rules."""
        document = self.as_document()
        for list_of in ("keep", "reject"):
            document[list_of].pop(image_id, None)
        if verdict is not None:
            document[verdict][image_id] = recipe
        return self.model_validate(document)

    def without_thresholds(self) -> Self:
        """With those that real training images set."""
        return self.model_copy(update={"thresholds": ThresholdOverrides()})


def overridable_columns() -> dict[str, list[str]]:
    """By rule, the score columns whose thresholds a person may set."""
    rules = ThresholdOverrides.model_fields.items()
    return {rule: list(field.annotation.model_fields) for rule, field in rules}


def read_overrides(path: str | None, rules: Sequence[str], class_names: Sequence[str]) -> Overrides:
    """What stands in the file at `path`; nothing is overridden without one.

    Raises `ParameterError` naming everything in it that is not understood. Thresholds of rules that are not among
    `rules`, those that apply, have no effect, and that is said.
    """
    if path is None or not Path(path).is_file():
        logger.info("Nothing about the filter is decided by hand: %s.", f"no file {path}" if path else "no file named")
        return Overrides()
    overrides = _parse(Path(path))
    thresholds = overrides.as_document()["thresholds"]
    if unknown := sorted(_classes_named(thresholds) - set(class_names)):
        raise ParameterError(
            f"{path} sets thresholds of {', '.join(unknown)}; the classes are {', '.join(class_names)}."
        )
    if idle := [rule for rule in thresholds if rule not in rules]:
        logger.warning("%s sets thresholds of %s, which filtering.rules does not list.", path, ", ".join(idle))
    return overrides


def write_overrides(overrides: Overrides, path: Path) -> None:
    """Writes the file all at once, so that a run that starts meanwhile reads the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.write_text(
        yaml.safe_dump(overrides.as_document(), sort_keys=False, allow_unicode=True, width=120), encoding="utf-8"
    )
    written.replace(path)


def override_thresholds(calibrated: Mapping[str, Thresholds], overrides: Overrides) -> dict[str, Thresholds]:
    """The thresholds that apply, by rule: those set by hand in place of calibrated ones.

    >>> overrides = Overrides.model_validate({"thresholds": {"clip_score": {"clip_score": 0.7}}})
    >>> override_thresholds({"clip_score": {"clip_score": {"cat": 0.5, "dog": 0.6}}}, overrides)
    {'clip_score': {'clip_score': {'cat': 0.7, 'dog': 0.7}}}
    """
    by_hand = overrides.as_document()["thresholds"]
    return {
        rule: {column: _override(needed, by_hand.get(rule, {}).get(column)) for column, needed in of_rule.items()}
        for rule, of_rule in calibrated.items()
    }


def _override(calibrated: Any, by_hand: Any) -> Any:
    if by_hand is None:
        return calibrated
    if not isinstance(calibrated, Mapping):
        return by_hand
    return {**calibrated, **(by_hand if isinstance(by_hand, Mapping) else dict.fromkeys(calibrated, by_hand))}


def _parse(path: Path) -> Overrides:
    try:
        return Overrides.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is not YAML: {error}; mend it, or move it away.") from error
    except ValidationError as error:
        problems = "\n  ".join(map(_describe, error.errors()))
        raise ParameterError(f"{path} is not understood:\n  {problems}\nmend it, or move it away.") from error


def _describe(problem: Mapping[str, Any]) -> str:
    place = [str(part) for part in problem["loc"] if part not in (ONE, BY_CLASS, "[key]")]
    if not place:
        return problem["msg"]
    if problem["type"] != "extra_forbidden":
        return f"{'.'.join(place)}: {problem['msg']}, not {problem['input']!r}"
    block = Overrides
    for name in place[:-1]:
        block = block.model_fields[name].annotation
    return f"{'.'.join(place)}: unknown; there is {', '.join(block.model_fields)}"


def _classes_named(thresholds: Mapping[str, Thresholds]) -> set[str]:
    by_class = [needed for of_rule in thresholds.values() for needed in of_rule.values() if isinstance(needed, dict)]
    return {name for needed in by_class for name in needed}
