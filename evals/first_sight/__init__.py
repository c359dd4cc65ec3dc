"""Sets by other hands, and how each was read at first sight."""
