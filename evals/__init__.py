"""Suites, cases, scorers and the independent oracle; looks on from above."""
