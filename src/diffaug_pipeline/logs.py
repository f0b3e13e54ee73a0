"""How a log looks: coloured and folded on a terminal, elsewhere a line per message, for files and for `grep`."""

import logging
import sys

from kedro.logging import RichHandler

LINE = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")


def unfold_logs() -> None:
    """Puts plain handlers in the place of rich ones where nobody looks at a terminal; `logging.yml` cannot say so."""
    root = logging.getLogger()
    if sys.stdout.isatty():
        return
    for handler in [handler for handler in root.handlers if isinstance(handler, RichHandler)]:
        plain = logging.StreamHandler(sys.stdout)
        plain.setFormatter(LINE)
        root.removeHandler(handler)
        root.addHandler(plain)
