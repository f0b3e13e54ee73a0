"""Parameters of the measures."""

from pydantic import Field, model_validator

from diffaug_pipeline.options import Options


class MeasureOptions(Options):
    """How sets of images are compared; for detection an image is the crop of a box."""

    min_images: int = Field(ge=4)
    """A set, or its part of one class, with fewer is not measured."""
    max_images: int = Field(ge=10)
    """Images of each set in one draw, at most; time and memory grow with its square."""
    draws: int = Field(ge=10)
    """Random draws of images that a measure is averaged over."""
    nearest_neighbours: int = Field(ge=1)
    """k: the neighbourhood of an image reaches to its k-th nearest of the same set."""
    min_images_for_fid: int = Field(ge=2)
    """On both sides; with fewer the Fréchet distance mostly tells how many there are."""
    confidence: float = Field(gt=0.5, lt=1)
    """Of every interval."""
    seed: int = Field(ge=0)
    """Of the draws."""

    @model_validator(mode="after")
    def _leave_neighbours(self) -> "MeasureOptions":
        drawn = min(self.min_images // 2, self.max_images)
        if drawn <= self.nearest_neighbours:
            raise ValueError(
                f"a draw of {drawn} images (half of min_images, at most max_images) has no "
                f"{self.nearest_neighbours} nearest neighbours for each of them; raise min_images or max_images, or "
                "lower nearest_neighbours"
            )
        return self
