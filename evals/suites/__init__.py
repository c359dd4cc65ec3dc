"""The suites: what is asked, of whom, and what must come of it; `tasks.py` holds them as tasks of inspect."""
