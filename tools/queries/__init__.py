"""What can be asked of the store: a determination (`check.py`), and all that one patient's session asks (`bound.py`).

`replay.py` asks an old one again.
"""
