"""The only import of Ultralytics, which is AGPL-3.0 and optional; it may neither reach the network nor leave files.

On import it writes settings into the user's home and, where it draws plots, looks for a font on the network: both are
kept off by the environment set here beforehand.
"""

import os
from tempfile import TemporaryDirectory

import torchvision  # noqa: F401 (where nobody has loaded it, Ultralytics suppresses overlaps in another way)
from PIL import Image

from diffaug_pipeline.errors import MissingPackageError

PREFIX = "diffaug-ultralytics-"
if PREFIX not in os.environ.get("YOLO_CONFIG_DIR", ""):  # else that of the parent process, which removes it
    _settings = TemporaryDirectory(prefix=PREFIX)
    os.environ["YOLO_CONFIG_DIR"] = _settings.name
os.environ |= {
    "YOLO_OFFLINE": "1",
    "YOLO_AUTOINSTALL": "0",
    "YOLO_VERBOSE": "False",
}
_open = Image.open
try:
    from ultralytics.data.augment import Format, v8_transforms
    from ultralytics.nn.tasks import DetectionModel
    from ultralytics.utils import DEFAULT_CFG_DICT, IterableSimpleNamespace
    from ultralytics.utils.instance import Instances
    from ultralytics.utils.nms import non_max_suppression
except ModuleNotFoundError as error:
    if error.name != "ultralytics":
        raise
    raise MissingPackageError(
        "detection needs Ultralytics, which is not installed; it is AGPL-3.0 and therefore an extra: "
        "pip install 'diffaug_pipeline[detection]'."
    ) from error
Image.open = _open  # Ultralytics' own wants to install a package as soon as it meets a file that is no picture

__all__ = [
    "DEFAULT_CFG_DICT",
    "DetectionModel",
    "Format",
    "Instances",
    "IterableSimpleNamespace",
    "non_max_suppression",
    "v8_transforms",
]
