"""Nodes of the export; `artifacts` are those of `export.run.RunArtifacts`, by name."""

from typing import Any

from diffaug_pipeline.export.options import ImageExportOptions, Licences, SceneExportOptions
from diffaug_pipeline.nouns import FillFolder
from diffaug_pipeline.synthesis.options import Generators


def export_images(
    options: ImageExportOptions, generators: Generators, licences: Licences, **artifacts: Any
) -> FillFolder:
    """The augmented dataset with labels, in the formats asked for."""
    from diffaug_pipeline.export.run import RunArtifacts, export_dataset

    return export_dataset("classification", RunArtifacts(**artifacts), options, generators, licences)


def export_scenes(
    options: SceneExportOptions, generators: Generators, licences: Licences, **artifacts: Any
) -> FillFolder:
    """The augmented dataset with boxes, in the formats asked for."""
    from diffaug_pipeline.export.run import RunArtifacts, export_dataset

    return export_dataset("detection", RunArtifacts(**artifacts), options, generators, licences)
