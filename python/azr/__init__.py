"""A language model that teaches itself to reason on tasks it proposes and a sandbox verifies.

Importing this package is cheap: no torch, no transformers, no compiled guest is loaded until it is used.
"""

from azr.errors import AzrError

__version__ = "0.1.0"

__all__ = ["AzrError", "__version__"]
