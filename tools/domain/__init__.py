"""What there is: records of charts, plans and requests (`records.py`), coverage rules as data (`rules.py`). No I/O."""
