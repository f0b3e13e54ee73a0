"""The embedded classification task, ready to be synthesised for, without a Kedro run around it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from kedro.framework.startup import bootstrap_project
from kedro.io import Version

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.session import RunSession
from diffaug_pipeline.synthesis.options import GeneratorPreset, SynthesisOptions

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class EmbeddedTask:
    """Its real images and all that a plan is made from, as in `conf/base`."""

    real_images: ImageSet
    prompts: PromptOptions
    synthesis: SynthesisOptions
    preset: GeneratorPreset
    vocabularies: Vocabularies

    def plan(self, **changes: object) -> tuple[pd.DataFrame, SynthesisOptions]:
        """A plan with some synthesis options changed, and those options."""
        options = self.synthesis.model_copy(update=changes)
        return plan_synthesis(self.real_images, self.prompts, options, self.preset, self.vocabularies), options


def load_task(folder: Path) -> EmbeddedTask:
    """Unpacks the real images into `folder`."""
    bootstrap_project(PROJECT)
    with RunSession.create(project_path=PROJECT, env="base") as session:
        catalog = session.load_context().catalog
        ingestion, prompts, synthesis, generators, vocabularies = (
            catalog.load(f"params:{name}")
            for name in (
                "classification.ingestion",
                "classification.prompts",
                "classification.synthesis",
                "generators",
                "vocabularies",
            )
        )
    real, _ = ingest(ingestion)
    store = ImageSetDataset(filepath=str(folder / "real"), version=Version("v", "v"))
    store.save(real)
    return EmbeddedTask(store.load(), prompts, synthesis, generators.choose(synthesis.generator), vocabularies)
