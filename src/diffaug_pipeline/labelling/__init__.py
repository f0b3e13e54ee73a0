"""From generated pictures to scenes with boxes: one small module per strategy, chosen by name."""
