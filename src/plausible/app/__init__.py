"""The browser as a place to train, look, ask and compare, on this machine alone."""
