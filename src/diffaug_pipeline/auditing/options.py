"""Parameters of auditing."""

from pydantic import Field

from diffaug_pipeline.options import Options


class AuditingOptions(Options):
    """How near-copies of real images are found among synthetic ones."""

    false_alarm_rate: float = Field(gt=0, lt=0.5)
    """Share of independent pictures that may be taken for copies; real images among themselves set the threshold."""
    candidates: int = Field(ge=1)
    """Of all pairs with a real image, in each of the ways in which one can be a mirrored or cropped copy of the other:
    how many are compared closely, at most. Large sets of pictures that are much alike need more."""
