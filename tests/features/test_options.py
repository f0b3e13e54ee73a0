import pytest
from features.feature_cases import feature_options
from pydantic import ValidationError

from diffaug_pipeline.features.options import FeatureOptions


@pytest.mark.parametrize("template", ["a photo of a garment", "a photo of a {name}", "a {tone} {class_name}"])
def test_a_template_that_does_not_name_the_class_alone_is_refused(template, tmp_path):
    values = feature_options(tmp_path).model_dump()
    values["scorer"]["templates"] = [template]
    with pytest.raises(ValidationError, match=r"must contain \{class_name\} and no other"):
        FeatureOptions(**values)
