"""`azr report`: a run as one HTML file. Start with `build.py`; `azr.watch` serves the same page live."""
