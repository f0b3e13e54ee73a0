"""How much is tried: a little with every test run, everything with DIFFAUG_FAULTS=full."""

import os

FULL = os.environ.get("DIFFAUG_FAULTS") == "full"
