"""The HTTP door: the same answers as `pa`, as JSON."""
