"""The machinery of a step: the stages' shared context and their work queue."""
