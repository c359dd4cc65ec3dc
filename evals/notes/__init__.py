"""Notes labelled by hand, and how well they are read."""
