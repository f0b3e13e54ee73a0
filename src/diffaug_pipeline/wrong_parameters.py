"""What is wrong with parameters, value by value: pydantic's words, taken out of the message Kedro wraps them in."""

import re

from kedro.validation.exceptions import ParameterValidationError

BLOCK = re.compile(r"Parameter '(?P<name>[^']+)'")
REASON = re.compile(r"  (?P<reason>\S.*?)(?: \[type=\w+, input_value=(?P<value>.*), input_type=\w+\])?")
WHAT_TO_DO = "correct it in conf/local or --params; conf/base says what is possible."


def describe_wrong_parameters(error: ParameterValidationError) -> list[str]:
    r"""A sentence for each value that is not valid, by dotted name; what is not told as usual is told as it is.

    >>> told = "1 validation error for A\neta\n  Input should be less [type=less, input_value=7, input_type=int]"
    >>> error = ParameterValidationError(f"Parameter validation failed:\n- Parameter 'task.synthesis': {told}")
    >>> describe_wrong_parameters(error)
    ['task.synthesis.eta: Input should be less; it is 7']
    """
    return [sentence for told in str(error).split("\n- ")[1:] for sentence in _sentences_of(told)]


def _sentences_of(told: str) -> list[str]:
    head, *lines = told.splitlines()
    block = named["name"] if (named := BLOCK.match(head)) else head
    place, sentences = block, []
    for line in lines:
        if told_why := REASON.fullmatch(line):
            reason, value = told_why["reason"].removeprefix("Value error, "), told_why["value"]
            it_is = f"; it is {value}" if value and place != block else ""  # a whole block would fill the screen
            sentences.append(f"{place}: {reason}{it_is}")
            place = block
        elif not line.startswith(" "):
            place = f"{block}.{line}"
    return sentences or [told]
