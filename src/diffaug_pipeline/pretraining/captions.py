"""What can be said about a garment picture: its class, whether it is dark or light, plain or patterned."""

import re

import numpy as np

CLASS_NAMES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
TEMPLATES = (
    "a photo of a {}",
    "a product photo of a {}",
    "a picture of a {}",
    "an image of a {}",
    "a {} on a black background",
    "a grayscale photo of a {}",
    "a {}",
    "{}",
)
TONES = ("", "dark", "light")
PATTERNS = ("", "plain", "patterned")

FOREGROUND_LEVEL = 0.08
SHARE_NAMED = 0.3


def caption(template: str, class_name: str, tone: str = "", pattern: str = "") -> str:
    """The sentence for one picture.

    >>> caption("a photo of a {}", "ankle boot")
    'a photo of an ankle boot'
    >>> caption("a {} on a black background", "bag", "dark", "plain")
    'a dark plain bag on a black background'
    """
    described = " ".join(word for word in (tone, pattern, class_name) if word)
    return re.sub(r"\ba (?=[aeiou])", "an ", template.format(described))


def describe(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tone and pattern words, relative to the class, of (N, 28, 28) uint8 images with (N,) labels.

    The darkest and lightest, plainest and busiest `SHARE_NAMED` of each class get a word, the rest ''.
    Brightness is the mean over the object; texture the mean absolute difference of neighbouring object pixels.
    """
    light = images.astype(np.float32) / 255
    inside = light > FOREGROUND_LEVEL
    brightness = (light * inside).sum((1, 2)) / inside.sum((1, 2)).clip(1)
    interior = inside[:, 1:, 1:] & inside[:, :-1, 1:] & inside[:, 1:, :-1] & inside[:, :-1, :-1]
    steps = np.abs(np.diff(light, axis=2))[:, :-1] + np.abs(np.diff(light, axis=1))[:, :, :-1]
    texture = (steps * interior).sum((1, 2)) / interior.sum((1, 2)).clip(1)
    return _name_extremes(brightness, labels, TONES), _name_extremes(texture, labels, PATTERNS)


def _name_extremes(values: np.ndarray, labels: np.ndarray, words: tuple[str, str, str]) -> np.ndarray:
    middle, low, high = words
    named = np.full(len(values), middle, dtype=object)
    for label in np.unique(labels):
        of_class = labels == label
        bottom, top = np.quantile(values[of_class], [SHARE_NAMED, 1 - SHARE_NAMED])
        named[of_class & (values < bottom)] = low
        named[of_class & (values > top)] = high
    return named
