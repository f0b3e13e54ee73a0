"""Which runs there are, what came out of each, and how two of them differ."""
