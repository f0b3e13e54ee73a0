import pytest
from factories import generator_preset, synthesis_options

from diffaug_pipeline.evaluation.caveats import find_detection_notes, find_detection_warnings
