"""Self-play for trainers that have a loop of their own: `session`, and an environment of verifiers around it."""
