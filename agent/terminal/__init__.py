"""The terminal's doors: a module for each command of `pa`, and what its screens show."""
