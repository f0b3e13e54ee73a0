import pytest

from diffaug_pipeline.doctor.licences import check_ingredients
from diffaug_pipeline.errors import LicenceError


def check(opened, chosen: dict[str, str], use: str) -> list:
    options = opened.parameters("params:classification.export").model_copy(update={"intended_use": use})
    generators, licences = (opened.parameters(f"params:{name}") for name in ("generators", "licences"))
    return list(check_ingredients(chosen, options, generators, licences))


def test_all_terms_are_said(opened):
    (finding,) = check(opened, {"generator": "embedded:generator", "detectors": "ultralytics"}, "commercial")
    assert (finding.level, finding.says) == ("ok", "for commercial: generator MIT, detectors AGPL-3.0")


def test_what_is_not_known_is_worth_advice_for_research_and_refused_for_commerce(opened):
    chosen = {"real images": "/my/pictures", "generator": "embedded:generator"}
    (finding,) = check(opened, chosen, "research")
    assert (finding.level, "of /my/pictures nothing is known" in finding.says) == ("advice", True)
    with pytest.raises(LicenceError, match=r"/my/pictures \(real images\), licence unknown"):
        check(opened, chosen, "commercial")
