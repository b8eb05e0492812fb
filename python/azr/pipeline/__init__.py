"""The machinery of a step: what the stages work with, and how their work is queued."""
