"""The life of a run: its folder, seeds, checkpoints, events, and the session that ties them together."""
