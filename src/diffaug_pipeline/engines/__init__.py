"""Work in other processes: on this machine, or on the machines of a Ray cluster. Knows neither Kedro nor the work."""
