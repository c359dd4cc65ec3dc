"""Bugs planted in the engine, to see whether the suites notice them.

A bug is a piece of the engine's source replaced while the module is imported, in a process of its own: the files
on disk are never changed. Every bug must be noticed by one suite at least: the cases on which the oracle and the
engine agree, the labels of planted charts, the cases written by hand, and those of other hands (first_sight).
"""
