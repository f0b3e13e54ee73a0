"""The Kedro side of each stage: wiring, and nodes that hand loaded data to the domain package of the same name."""
