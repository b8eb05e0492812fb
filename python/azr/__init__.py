"""A language model that teaches itself to reason on tasks it proposes and a sandbox verifies.

Importing this package is cheap: no torch, no transformers, no compiled guest is loaded until it is used.
"""

from azr.errors import AzrError

__all__ = ["AzrError", "__version__"]


def __getattr__(name: str) -> str:
    """The version is asked of the Rust half when someone wants it: Cargo.toml alone has it."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from azr._azr import VERSION

    return VERSION
