"""Small tools; they import nothing of azr except `azr.errors`."""
