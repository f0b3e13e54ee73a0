"""Which scheduler, how many steps: the same prompts from the same noise with each of them, measured and compared."""
