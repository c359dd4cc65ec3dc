"""What every entry point opens first: the settings, the home and its store, checkpoints, who acts, records as plain
data."""
