"""How far two pictures are apart once one is laid onto the other."""

import cv2
import numpy as np

from diffaug_pipeline.auditing.coarse import CROPS, coarse_vectors
from diffaug_pipeline.imaging.thumbnails import THUMBNAIL_PX

ITERATIONS = cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4
ALIGNMENT_FILTER_PX = 5
MAX_DISPLACEMENT_PX = 10.0
"""Of a corner by the alignment; a crop of 5 % on each side moves corners by 4.5."""
BORDER_PX = 3
"""What a resampling filter sees beyond the edge of a crop differs from what the whole picture has there."""
FINE_SIGMA_PX, COARSE_SIGMA_PX = 3.0, 6.0
"""Details finer than the first are lost when a picture is re-encoded or reduced; those coarser than the second are
alike in all pictures of a kind (EXPERIMENTS.md)."""
FLAT = 0.25
"""Standard deviation of the details, in brightness levels, below which a picture shows none."""
IDENTITY = np.eye(2, 3, dtype=np.float32)
CORNERS = np.array([[x, y, 1.0] for x in (0, THUMBNAIL_PX - 1) for y in (0, THUMBNAIL_PX - 1)])


def _crop_map(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """(2, 3) from pixels of a crop, enlarged to a thumbnail, to those of the whole; their centres lie at integers."""
    scale = np.array([1 - left - right, 1 - top - bottom])
    offset = THUMBNAIL_PX * np.array([left, top]) + (scale - 1) / 2
    return np.column_stack([np.diag(scale), offset]).astype(np.float32)


CROP_MAPS = tuple(_crop_map(*crop) for crop in CROPS)


def aligned_distance(crop: np.ndarray, whole: np.ndarray) -> float:
    """In [0, 1], of two (64, 64) uint8 thumbnails: 0 if `crop` shows what `whole` or a part of it shows.

    `crop` is laid onto `whole` by the affine map that maximises their correlation (Evangelidis and Psarakis 2008);
    the distance is 1 minus the correlation of the details, so it depends on neither brightness nor contrast. Pictures
    without details differ by their brightness.

    >>> gradient = np.add.outer(np.arange(64), np.arange(64) ** 2 // 32).astype(np.uint8)
    >>> aligned_distance(gradient, gradient) < 1e-6
    True
    >>> aligned_distance(gradient, np.zeros((64, 64), np.uint8))
    1.0
    """
    part = cv2.warpAffine(
        whole.astype(np.float32),
        _alignment(crop, whole),
        whole.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inner = slice(BORDER_PX, -BORDER_PX), slice(BORDER_PX, -BORDER_PX)
    return _difference(crop.astype(np.float32)[inner], part[inner])


def _alignment(crop: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(2, 3) map from `crop` to `whole`, found from the nearest of `CROPS`; that one where none is found."""
    similarity = (coarse_vectors(whole[None])[:, 0] @ coarse_vectors(crop[None])[0, 0]).argmax()
    start = CROP_MAPS[similarity]
    try:
        _, found = cv2.findTransformECC(
            crop, whole, start.copy(), cv2.MOTION_AFFINE, ITERATIONS, None, ALIGNMENT_FILTER_PX
        )
    except cv2.error:  # no contrast, or no convergence
        return start
    displacement = np.abs(CORNERS @ (found - IDENTITY).T).max()
    return found if displacement <= MAX_DISPLACEMENT_PX else start


def _difference(first: np.ndarray, second: np.ndarray) -> float:
    details = [_details(picture) for picture in (first, second)]
    spread = [float(detail.std()) for detail in details]
    if max(spread) < FLAT:
        return float(abs(first.mean() - second.mean())) / 255
    if min(spread) < FLAT:
        return 1.0
    correlation = float((details[0] * details[1]).mean()) / (spread[0] * spread[1])
    return min(1.0, max(0.0, 1 - correlation))


def _details(picture: np.ndarray) -> np.ndarray:
    """Band-pass: what is neither finer nor coarser than the two scales; zero mean."""
    band = cv2.GaussianBlur(picture, (0, 0), FINE_SIGMA_PX) - cv2.GaussianBlur(picture, (0, 0), COARSE_SIGMA_PX)
    return band - band.mean()
