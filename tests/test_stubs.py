"""The Rust module's stub says what the module has."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_stub_of_the_rust_module_is_true() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "azr._azr"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
