"""Parameters of the strength study."""

from pydantic import Field

from diffaug_pipeline.options import Options


class StrengthStudyOptions(Options):
    """How many pictures speak for a strength, and what a recommended one has to keep to."""

    samples_per_source: int = Field(ge=2)
    """Pictures made from one source at each strength, each with its own seed; they divide `images_per_class`."""
    confidence: float = Field(gt=0.5, lt=1)
    """Of every interval."""
    agreement_tolerance: float = Field(ge=0, lt=1)
    """How much lower than on the real sources class agreement may be, as a share: 0.05 is five points."""
    max_near_duplicates: float = Field(ge=0, lt=1)
    """Share of results that may be near duplicates of their source, as `ingestion.near_duplicate_distance` defines
    them."""
    sources_shown: int = Field(ge=1)
    """Rows of the contact sheet."""
