"""From class names to a plan: one row per image to make, complete before the first one is made."""
