"""Joins real and accepted synthetic images into the training set of each arm; no pixel is copied."""
