"""Every prompt a vocabulary can form for a class."""

import re
from itertools import product

from diffaug_pipeline.options import CLASS_NAME, placeholders
from diffaug_pipeline.prompts.options import Vocabulary


def sentences(vocabulary: Vocabulary, class_name: str) -> list[str]:
    """Templates times the axes they use, without repeats, in a stable order.

    >>> vocabulary = Vocabulary(
    ...     templates=["a photo of a {tone} {class_name}"], axes={"tone": ["", "dark"]}, negative_prompt=""
    ... )
    >>> sentences(vocabulary, "ankle boot")
    ['a photo of an ankle boot', 'a photo of a dark ankle boot']
    """
    formed = []
    for template in vocabulary.templates:
        used = sorted(placeholders(template) - {CLASS_NAME})
        for words in product(*(vocabulary.axes[axis] for axis in used)):
            values = dict(zip(used, words, strict=True)) | {CLASS_NAME: class_name}
            formed.append(_tidy(template.format(**values)))
    return list(dict.fromkeys(formed))


def _tidy(sentence: str) -> str:
    """One space between words, no comma without words, "an" before a vowel."""
    spaced = re.sub(r"\s+", " ", sentence)
    punctuated = re.sub(r"\s*,(\s*,)*\s*", ", ", spaced).strip(" ,")
    return re.sub(r"\b([Aa]) (?=[aeiouAEIOU])", r"\1n ", punctuated)
