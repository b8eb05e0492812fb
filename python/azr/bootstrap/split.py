"""Which programs are held out: decided by a hash of the canonical form, so no list is needed."""

from hashlib import blake2b
from typing import Final

from azr.bootstrap.grammar import Chain

SHARE: Final = 8
"""One program in this many is held out."""


def is_held_out(chain: Chain) -> bool:
    """Whether a program is held out. Names and formatting do not matter."""
    from azr.buffer.client import canonical

    text, _ = canonical(chain.source)
    return blake2b(text.encode("utf-8"), digest_size=4).digest()[0] % SHARE == 0
