"""Data sets of verified tasks: `gather` makes them by a model behind an endpoint, `publish` writes those of a run."""
