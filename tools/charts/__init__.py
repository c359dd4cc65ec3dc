"""Charts as people write them: entries that a person adds (`additions.py`), and case files (`casefile.py`)."""
