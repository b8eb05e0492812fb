"""Metrics of a step, and their reduction over ranks."""
