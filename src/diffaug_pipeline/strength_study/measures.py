"""One row per picture, sources included: what the generator made of it.

| column | type | meaning |
|---|---|---|
| `image_id`, `label`, `origin` | str | of the picture; sources are `real` |
| `source_image_id`, `strength` | str, float | null for sources |
| `zero_shot_class` | str | the class that CLIP takes it for |
| `agrees` | bool | whether that is its label |
| `clip_similarity` | float | to the source: cosine of CLIP's embeddings, in [-1, 1] |
| `ssim` | float | to the source: structural similarity, in [-1, 1] (Wang et al. 2004) |
| `source_distance` | float | to the source: RMS difference of 16x16 gray thumbnails, in [0, 1] |
| `sibling_distance` | float | mean of 1 - cosine of CLIP's embeddings to the picture's siblings |

Siblings are the other pictures of the same source and strength; those of a source are the other sources of its class.
The source is meant as the generator saw it, fitted to the model's size. What does not apply is null.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from diffaug_pipeline.features.class_scores import nearest_classes
from diffaug_pipeline.features.encoder import ClipScorer
from diffaug_pipeline.features.options import ScorerOptions
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.options import Fit
from diffaug_pipeline.imaging.preparation import fit_image
from diffaug_pipeline.ingestion.image_file import gray_thumbnail


@dataclass(frozen=True)
class SeenSources:
    """The sources of image-to-image as the generator saw them; no pixel is held."""

    images: ImageSet
    image_ids: list[str]
    size_px: tuple[int, int]
    fit: Fit

    @classmethod
    def of(cls, synthetic_images: ImageSet, real_images: ImageSet) -> "SeenSources":
        """Those that the pictures, all of one size and fit, were made from."""
        index = synthetic_images.index
        size = int(index["width_px"].iloc[0]), int(index["height_px"].iloc[0])
        return cls(real_images, index["source_image_id"].drop_duplicates().tolist(), size, index["fit"].iloc[0])

    def __len__(self) -> int:
        return len(self.image_ids)

    def __iter__(self) -> Iterator[Image.Image]:
        return map(self.read, self.image_ids)

    def read(self, image_id: str) -> Image.Image:
        """One source."""
        return fit_image(self.images.read(image_id), self.size_px, self.fit).image


def measure_images(synthetic_images: ImageSet, real_images: ImageSet, judging: ScorerOptions) -> pd.DataFrame:
    """The table; CLIP is asked about all classes of `real_images`."""
    seen = SeenSources.of(synthetic_images, real_images)
    scorer = ClipScorer(judging.clip_model, judging.clip_revision, judging.device)
    class_names = real_images.class_names
    class_features = scorer.embed_classes(class_names, judging.templates)
    source_features = scorer.embed_images(seen, judging.batch_size, "scoring sources")
    features = scorer.embed_images(synthetic_images, judging.batch_size, "scoring results")
    labels = real_images.index.set_index("image_id")["label"]
    sources = pd.DataFrame({"image_id": seen.image_ids, "label": labels[seen.image_ids].to_numpy(), "origin": "real"})
    sources["zero_shot_class"] = nearest_classes(source_features, class_features, class_names)
    sources["sibling_distance"] = sibling_distances(source_features, sources["label"])
    results = synthetic_images.index[["image_id", "label", "origin", "source_image_id", "strength"]].copy()
    own_source = pd.Series(range(len(seen)), seen.image_ids)[results["source_image_id"]].to_numpy()
    results["zero_shot_class"] = nearest_classes(features, class_features, class_names)
    results["clip_similarity"] = (features * source_features[own_source]).sum(1)
    results["sibling_distance"] = sibling_distances(
        features, results["source_image_id"] + " at " + results["strength"].astype(str)
    )
    results = results.join(_compare_pixels(synthetic_images, seen))
    table = pd.concat([results, sources], ignore_index=True)
    table["agrees"] = table["zero_shot_class"] == table["label"]
    return table


def sibling_distances(features: np.ndarray, groups: pd.Series) -> np.ndarray:
    """(N,) mean of 1 - cosine from each of the (N, D) unit vectors to the others of its group; NaN for a lone one.

    Their mean over a group is the mean over its pairs.

    >>> sibling_distances(np.eye(3), pd.Series(["a", "a", "b"])).tolist()
    [1.0, 1.0, nan]
    """
    distances = np.full(len(features), np.nan)
    for rows in groups.groupby(groups.to_numpy()).indices.values():
        if len(rows) > 1:
            cosines = features[rows] @ features[rows].T
            distances[rows] = 1 - (cosines.sum(1) - np.diag(cosines)) / (len(rows) - 1)
    return distances


def _compare_pixels(synthetic_images: ImageSet, seen: SeenSources) -> pd.DataFrame:
    """`ssim` and `source_distance` of each picture, in the order of the index."""
    index = synthetic_images.index
    ssim, distance = np.empty(len(index)), np.empty(len(index))
    for source_id, rows in index.groupby("source_image_id").indices.items():
        source = seen.read(source_id)
        pictures = [synthetic_images.read(image_id) for image_id in index["image_id"].iloc[rows]]
        made, given = _pixels(pictures), _pixels([source]).expand(len(rows), -1, -1, -1)
        ssim[rows] = structural_similarity_index_measure(made, given, data_range=1.0, reduction="none").numpy()
        distance[rows] = [thumbnail_distance(picture, source) for picture in pictures]
    return pd.DataFrame({"ssim": ssim, "source_distance": distance}, index=index.index)


def _pixels(pictures: list[Image.Image]) -> Tensor:
    """(N, 3, H, W) float in [0, 1]."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def thumbnail_distance(first: Image.Image, second: Image.Image) -> float:
    """What near duplicates are found by: RMS difference of 16x16 gray thumbnails, in [0, 1]."""
    difference = gray_thumbnail(first).astype(float) - gray_thumbnail(second)
    return float(np.sqrt((difference**2).mean()) / 255)
