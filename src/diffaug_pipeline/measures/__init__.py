"""Measures: how real and how varied synthetic images are as a set, beside what real images get."""
