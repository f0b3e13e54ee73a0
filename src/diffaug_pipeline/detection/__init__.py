"""YOLO per arm and seed, through Ultralytics; every arm is trained for the same number of steps."""
