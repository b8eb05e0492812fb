"""The parts of `benchmarks/gpu_round.py`."""
