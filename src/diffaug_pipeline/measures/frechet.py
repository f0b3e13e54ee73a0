"""The Fréchet distance, of features that are there already."""

import numpy as np
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

BLOCK = 8192


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """FID (Heusel et al. 2017) of (N, D) and (M, D) features, by torchmetrics; biased, the more the fewer there are."""
    metric = FrechetInceptionDistance(feature=_Given(real.shape[1]))
    for vectors, is_real in ((real, True), (generated, False)):
        for start in range(0, len(vectors), BLOCK):
            metric.update(torch.from_numpy(vectors[start : start + BLOCK]), real=is_real)
    return float(metric.compute())


class _Given(nn.Identity):
    """Takes features for pictures."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features
