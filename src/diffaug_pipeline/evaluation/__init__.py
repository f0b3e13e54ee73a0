"""From predictions to a verdict with intervals, and a report a person can judge it by."""
