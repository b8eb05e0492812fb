"""The vLLM engine: in its own process, for one rank or shared by a group of ranks."""
