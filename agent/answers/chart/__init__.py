"""What does the chart hold: values with their dates, medicines with their course, diagnoses, allergies, notes."""

from agent.answers.chart.contents import answer

__all__ = ["answer"]
