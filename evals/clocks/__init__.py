"""Dated cases for the clocks, with days that were counted without the code that they test."""
