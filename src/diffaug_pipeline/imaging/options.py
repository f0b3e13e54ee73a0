"""Choices about pixels that parameters name; imports nothing heavy."""

from typing import Literal

Fit = Literal["cover", "contain", "stretch"]
"""`cover` fills the frame and cuts what sticks out, `contain` shows everything on black, `stretch` distorts."""
