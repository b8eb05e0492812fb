"""`azr watch`: the report's page, live, on this machine only. `live.py` follows the run, `server.py` serves it."""
