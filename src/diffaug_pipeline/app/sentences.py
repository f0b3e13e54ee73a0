"""What the page says to whoever uses it; screen readers say it too."""

import html


def say(sentence: str) -> str:
    """How things are."""
    return f'<p role="status">{html.escape(sentence)}</p>'


def warn(sentence: str) -> str:
    """Why something was not done."""
    return f'<p role="alert" class="warning">{html.escape(sentence)}</p>'
