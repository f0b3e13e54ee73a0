"""Everything between synthetic images and a verdict, without a Kedro run around it: as in `conf/base`, but small."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

import pandas as pd
import yaml

from diffaug_pipeline.auditing.copies import find_copies
from diffaug_pipeline.auditing.options import AuditingOptions
from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.classification.options import TrainingOptions
from diffaug_pipeline.classification.prediction import predict
from diffaug_pipeline.classification.training import train_classifiers
from diffaug_pipeline.evaluation.classification_metrics import ClassificationOutcomes
from diffaug_pipeline.evaluation.comparison import compare_arms
from diffaug_pipeline.evaluation.options import EvaluationOptions
from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.filtering.evidence import Audit
from diffaug_pipeline.filtering.images import filter_images
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.filtering.overrides import Overrides
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging import training_sets
from diffaug_pipeline.merging.options import MergingOptions
from diffaug_pipeline.options import Options

CONF = Path(__file__).parents[1] / "conf" / "base"
SYNTHETIC_SHARE = 0.8
"""Of the draws: what is wrong with the synthetic images, or right, has to show after few steps."""
OptionsType = TypeVar("OptionsType", bound=Options)


class Classifiers(Protocol):
    """Trains and asks."""

    def __call__(self, training_set: ImageSet, real_images: ImageSet, seeds: Sequence[int]) -> pd.DataFrame:
        """Predictions (see `classification.prediction`) on the real test images, one classifier per seed."""


def options_from_conf(of_type: type[OptionsType], block: str, **changes: Any) -> OptionsType:
    """A parameter block of classification with some values changed."""
    return of_type(
        **yaml.safe_load((CONF / "parameters_classification.yml").read_text())["classification"][block] | changes
    )


@dataclass(frozen=True)
class ResNets:
    """The project's own training, short, on small pictures, from weights that know garments: two seconds a network."""

    weights: Path | None
    steps: int = 25
    learning_rate: float = 4e-4

    def __call__(self, training_set: ImageSet, real_images: ImageSet, seeds: Sequence[int]) -> pd.DataFrame:
        """See `Classifiers`."""
        with TemporaryDirectory() as folder:
            train_classifiers(training_set, real_images, self.options(seeds), Path(folder))
            return predict(Checkpoint(Path(folder)), real_images.where(split="test"), "cpu")

    def options(self, seeds: Sequence[int]) -> TrainingOptions:
        """Those of `conf/base` but for size and length."""
        return options_from_conf(
            TrainingOptions,
            "training",
            weights=None if self.weights is None else str(self.weights),
            input_size_px=16,
            steps=self.steps,
            learning_rate=self.learning_rate,
            warmup_steps=max(1, self.steps // 10),
            augmentation={"horizontal_flip": True, "max_shift": 0.125, "policy": "none"},
            evaluations=1,
            seeds=list(seeds),
            workers=1,
            device="cpu",
        )


class Chain:
    """The stages from features to the verdict for one set of synthetic images."""

    def __init__(self, real_images: ImageSet, synthetic_images: ImageSet, scratch: Path, known: Sequence[Path] = ()):
        """`scratch` is for features, which those in the folders `known` save some of."""
        self.real_images, self.synthetic_images = real_images, synthetic_images
        self._features = make_features(real_images, synthetic_images, scratch / "features", known)
        self.copies, self._copy_calibration = find_copies(
            synthetic_images,
            real_images,
            self._features.thumbnails(synthetic_images),
            self._features.thumbnails(real_images),
            options_from_conf(AuditingOptions, "auditing"),
        )

    def decide(self, rules: Sequence[str]) -> pd.DataFrame:
        """Filter decisions when only these rules apply."""
        options = options_from_conf(FilteringOptions, "filtering", rules=list(rules))
        decisions, _ = filter_images(
            self.synthetic_images,
            self.real_images,
            self._features,
            Audit(self.copies, self._copy_calibration),
            pd.DataFrame(columns=["image_id", "label", "predicted", "probabilities"]),
            Overrides(),
            options,
        )
        return decisions

    def augmented(self, decisions: pd.DataFrame) -> ImageSet:
        """The training set of real and accepted synthetic images."""
        options = options_from_conf(MergingOptions, "merging", probability=SYNTHETIC_SHARE)
        return training_sets.augmented(self.real_images, self.synthetic_images, decisions, self.copies, options)

    def compare(
        self, rules: Sequence[str], baseline: pd.DataFrame, classifiers: Classifiers, seeds: Sequence[int]
    ) -> dict[str, Any]:
        """The comparison of training with these rules against the predictions of the `baseline`."""
        predictions = classifiers(self.augmented(self.decide(rules)), self.real_images, seeds)
        outcomes = {"real_only": baseline, "augmented": predictions}
        return compare_arms(
            {arm: ClassificationOutcomes.of(table) for arm, table in outcomes.items()},
            options_from_conf(EvaluationOptions, "evaluation"),
        )


def make_features(real_images: ImageSet, synthetic_images: ImageSet, folder: Path, known: Sequence[Path]) -> Features:
    """What the scorer sees in both, on disk."""
    options = options_from_conf(FeatureOptions, "features", measure=None, device="cpu")
    folder.mkdir(parents=True)
    PlannedFeatures(real_images, synthetic_images, options).make_in(folder, known)
    return Features(folder)
