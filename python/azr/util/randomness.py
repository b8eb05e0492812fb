"""Random numbers as a function of (run seed, step, purpose).

No random state has to be saved to resume: the generators of a step do not depend on what ran before.
"""

import zlib

import numpy as np


def sequence(seed: int, step: int, purpose: str) -> np.random.SeedSequence:
    """Seed material for one purpose at one step."""
    return np.random.SeedSequence([seed, step, zlib.crc32(purpose.encode("ascii"))])


def generator(seed: int, step: int, purpose: str) -> np.random.Generator:
    """A generator for one purpose at one step. Philox gives the same numbers in every numpy version and on every
    machine."""
    return np.random.Generator(np.random.Philox(sequence(seed, step, purpose)))


def derive(seed: int, step: int, purpose: str) -> int:
    """A 63-bit seed for consumers that need a number."""
    return int(sequence(seed, step, purpose).generate_state(1, np.uint64)[0] >> np.uint64(1))
