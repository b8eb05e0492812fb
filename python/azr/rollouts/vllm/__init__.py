"""vLLM as an engine: in a process of its own, alone or shared by the ranks of a group."""
