"""The instrument's modules stand beside each other under benchmarks/, outside of the package."""

import sys
from pathlib import Path

INSTRUMENT = Path(__file__).parents[2] / "benchmarks" / "differential"
sys.path.insert(0, str(INSTRUMENT))
