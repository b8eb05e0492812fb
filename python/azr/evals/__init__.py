"""Evaluation on tasks that a run never trains on."""
