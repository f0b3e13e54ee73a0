"""Judges synthetic images by what is known about them; thresholds come from real training images."""
