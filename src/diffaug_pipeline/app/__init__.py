"""`kedro app`: a page to try generators, decide about images and look at runs. Serves this machine alone."""
