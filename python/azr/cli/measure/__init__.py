"""Measurements that the command line offers: speed, fidelity, mutants, the plan of a run."""
