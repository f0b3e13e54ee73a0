"""Scores synthetic images and decides which may be trained on; thresholds come from real training images."""
