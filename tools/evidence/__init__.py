"""What shows a criterion: one function per kind of leaf, each answering whether the thing is *shown*.

`context.py` is what they are asked with; `measurements.py` says which values count. `exclude` only changes which
way a fix points.
"""
