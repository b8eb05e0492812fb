"""`azr report`: a run as one HTML file. `build.py` is the way through it; `azr.watch` serves the same page live."""
