"""What an examination finds, and how it goes on when a check fails itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffaug_pipeline.errors import explanation_of

Level: TypeAlias = Literal["ok", "advice", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    """`ok`: nothing to do; `advice`: a run goes on, perhaps not as wanted; `problem`: it would stop."""
    says: str
    advice: str | None = None
    """What to do; None where `says` ends with it, as errors of ours do, or where nothing is to be done."""


Check: TypeAlias = Callable[[], Iterable[Finding]]


def examine(checks: Mapping[str, Check]) -> Iterator[tuple[str, Finding]]:
    """Findings behind the subject they are about; a check that raises is a problem, and the others go on."""
    for subject, check in checks.items():
        try:
            for finding in check():
                yield subject, finding
        except Exception as error:
            yield subject, problem_of(error)


def problem_of(error: Exception) -> Finding:
    """An error as a finding: one of ours says what to do."""
    explained = explanation_of(error)
    if explained is not None:
        return Finding("problem", str(explained))
    said = " ".join(str(error).split())
    return Finding("problem", f"this could not be looked at ({type(error).__name__}: {said})")
