"""One request in several ways, all from the same seeds."""

from collections.abc import Sequence

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.playground.request import Request
from diffaug_pipeline.synthesis.schedulers import SchedulerName


def compare_schedulers(request: Request, names: Sequence[SchedulerName]) -> list[Request]:
    """One request per scheduler. Raises `ParameterError` for fewer than two."""
    if len(names) < 2:
        raise ParameterError("a comparison needs two schedulers or more; choose them.")
    return [request.with_scheduler(name) for name in names]


def compare_strengths(request: Request, text: str) -> list[Request]:
    """One request per strength in `text`, separated by commas. Raises `ParameterError` for what is no such text."""
    if request.synthesis.mode == "text_to_image":
        raise ParameterError("text_to_image has no strength; choose image_to_image or inpainting.")
    try:
        strengths = [float(word) for word in text.split(",") if word.strip()]
    except ValueError as error:
        raise ParameterError(f"the strengths are {text!r}; write numbers like 0.2, 0.4, 0.6.") from error
    if len(strengths) < 2:
        raise ParameterError("a comparison needs two strengths or more; write numbers like 0.2, 0.4, 0.6.")
    return [request.with_strength(strength) for strength in strengths]
