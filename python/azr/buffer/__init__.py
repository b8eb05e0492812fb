"""The task buffer: the Rust core's client, the curriculum over it, and the shards of domains."""
