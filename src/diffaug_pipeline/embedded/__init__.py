"""What ships with the package: the generator, the CLIP and the few-shot task, each with a card."""

from pathlib import Path

PREFIX = "embedded:"


def embedded_folder(name: str) -> Path | None:
    """Where `embedded:<what>` lies; None if `name` does not start so.

    >>> embedded_folder("embedded:clip").name
    'clip'
    """
    return Path(__file__).parent / name.removeprefix(PREFIX) if name.startswith(PREFIX) else None
