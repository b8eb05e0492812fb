"""A model behind an OpenAI-compatible HTTP endpoint: `client` asks it, `engine` is the queue around that."""
