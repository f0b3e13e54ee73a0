"""Names for what crosses node borders, for signatures only.

Importing pandas, PIL or torch for a signature would double the time that `kedro registry list` takes; leaving names
that do not resolve would make Kedro drop all hints of the node, and with them the validation of its parameters.
"""

from typing import Any, TypeAlias

Table: TypeAlias = Any
"""`pandas.DataFrame`"""
ImageSet: TypeAlias = Any
"""`imaging.image_set.ImageSet`"""
PlannedImageSet: TypeAlias = Any
"""`imaging.image_set.PlannedImageSet`"""
Checkpoint: TypeAlias = Any
"""`checkpoint.Checkpoint`"""
FillFolder: TypeAlias = Any
"""A function that fills a folder, given to datasets that are folders; called again after a crash."""
Features: TypeAlias = Any
"""`features.features.Features`"""
PlannedFeatures: TypeAlias = Any
"""`features.embedding.PlannedFeatures`"""
Figure: TypeAlias = Any
"""`plotly.graph_objects.Figure`"""
Picture: TypeAlias = Any
"""`PIL.Image.Image`"""
Document: TypeAlias = dict[str, Any]
"""What becomes a JSON file."""
