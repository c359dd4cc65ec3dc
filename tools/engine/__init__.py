"""What decides: pure functions of patient, plan, request and day. No I/O, no clock, no model, no store.

`request.py` completes what is asked, `determine.py` has the order of checks, `criteria.py` the three-valued logic, and
`verdict.py` the outcome alone. Answers are codes with parameters; `tools/messages` has their words.
"""
