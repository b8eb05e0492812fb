"""`azr watch`: the report's page, live, on this machine only. `live.py` knows the run, `server.py` answers."""
