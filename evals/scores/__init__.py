"""Scores, in code and without a judge: exact answers and end states, and what the figures are worth."""
