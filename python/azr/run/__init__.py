"""The life of a run: folder, seed tasks, checkpoints, events, and `train`, which ties them together."""
