"""Small tools without a home of their own; they import nothing of azr but `azr.errors`."""
