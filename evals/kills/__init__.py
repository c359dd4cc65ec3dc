"""Kills a batch in the middle, again and again, and compares what it leaves with a batch that nobody disturbed."""
