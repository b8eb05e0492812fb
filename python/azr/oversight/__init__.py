"""Seeing and overseeing a run: traces, monitors, alarms, hooks, the watchdog. The user's page: docs/oversight.md."""
