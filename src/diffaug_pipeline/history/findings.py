"""What the results of a run say, in sentences."""

from typing import Any

from diffaug_pipeline.dose_response.section import describe_dose, describe_worth
from diffaug_pipeline.evaluation.wording import METRIC_TITLES
from diffaug_pipeline.history.runs import Run, Verdict
from diffaug_pipeline.robustness.section import summarize, summarize_calibration


def describe_findings(run: Run, task: str | None = None) -> list[tuple[str, str]]:
    """The verdicts, then what studies found, each behind its task; of `task` alone where one is given."""
    results = {name: result for name, result in run.results.items() if task in (None, name)}
    verdicts = [(name, describe_verdict(result.verdict)) for name, result in results.items() if result.verdict]
    return verdicts + [
        (name, describe_study(study, document))
        for name, result in results.items()
        for study, document in result.studies.items()
    ]


def describe_verdict(verdict: Verdict) -> str:
    """The verdict, why, and what it is about."""
    arms = " and ".join(f"{arm} {verdict.arms[arm]}" for arm in (verdict.baseline, verdict.treatment))
    return (
        f"{verdict.word.upper()}: {verdict.reason} ({METRIC_TITLES[verdict.metric]} on {verdict.test_images:,} test "
        f"images: {arms})."
    )


def describe_study(study: str, document: dict[str, Any]) -> str:
    """What one of `runs.STUDIES` found."""
    if study == "dose_response":
        return f"{describe_dose(document)} {describe_worth(document['worth'])}"
    return f"{summarize(document)} {summarize_calibration(document)}"
