"""What becomes of a prior authorization after it was drafted: its states, its clocks, its renewal.

An *authorization case* here is the matter of one patient, drug and plan over time. It is not the `Case` of
tools/papers/case.py, which is one decided question on one day, nor a case file of evals/cases.
"""
