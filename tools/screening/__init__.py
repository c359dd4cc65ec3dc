"""What the screen of one patient is: every drug of the plan, what each is waiting for, and when that changes.

`panel.py` puts it together; `needs.py` says what an open case waits for, `turns.py` when there is reason to look again.
"""
