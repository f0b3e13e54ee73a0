"""What unit vectors of pictures and of class names say about each other."""

from collections.abc import Sequence

import numpy as np


def nearest_classes(image_features: np.ndarray, class_features: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """(N,) the name of the class each of the (N, D) unit vectors is nearest to, of (C, D) ones."""
    return np.array(class_names)[(image_features @ class_features.T).argmax(1)]


def class_probabilities(image_features: np.ndarray, class_features: np.ndarray, logit_scale: float) -> np.ndarray:
    """(N, C) softmax over classes of the scaled cosine between (N, D) and (C, D) unit vectors."""
    logits = logit_scale * image_features @ class_features.T
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)
