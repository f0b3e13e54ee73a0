import numpy as np
import pandas as pd
import pytest
from filtering.filter_cases import ask, evidence, filtering_options

from diffaug_pipeline.filtering.rules import memorisation

COPIES = pd.DataFrame(
    {
        "train_distance": [0.4, 0.01, 0.4, 0.4],
        "is_train_copy": [False, True, False, False],
        "source_distance": [0.3, 0.3, 0.0, np.nan],
    }
)


@pytest.mark.parametrize(("least", "passes"), [(None, [True, False, True, True]), (0.1, [True, False, False, True])])
def test_an_image_may_be_like_its_source_but_not_like_other_training_images(least, passes):
    options = filtering_options(memorisation={"min_source_distance": least})
    known = evidence(["cat"] * 4, copies=COPIES)
    judged = ask(memorisation, known, memorisation.calibrate(known, options), options)
    assert judged["passes"].tolist() == passes
    pd.testing.assert_frame_equal(
        judged[["train_distance", "source_distance"]], COPIES[["train_distance", "source_distance"]]
    )
