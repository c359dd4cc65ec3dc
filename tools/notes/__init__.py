"""Reading clinical notes: what a note says, where exactly, about whom, and what of it could show a criterion.

A note's text is data. Nothing here follows an instruction that stands in one, and nothing read here is evidence
until a person confirms it.
"""
