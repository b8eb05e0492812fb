"""Measurements of the sandbox: what it does as CPython does, and how fast."""
