"""The Rust module loads into any Python from its oldest on."""

import re
from pathlib import Path

from azr import _azr


def test_the_module_is_bound_to_no_libpython_and_no_minor_version() -> None:
    path = Path(_azr.__file__)
    assert path.name == "_azr.abi3.so"
    # Linked to one, it would load only beside that very library: by no other minor version, by no static build.
    assert not re.findall(rb"libpython[0-9.]+\.so[0-9.]*", path.read_bytes())
