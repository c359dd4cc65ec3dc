"""`pa screen`: the whole panel × the drugs of each patient's plan, in processes, into a table and a report.

`sources.py` reads charts by pieces, `run.py` screens the pieces into parts, `table.py` says what a row is and joins
the parts, `summary.py` counts, `report.py` draws.
"""
