"""The report of a run, rebuilt from its logs alone."""
