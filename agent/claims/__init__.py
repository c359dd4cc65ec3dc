"""What plain English text claims: numbers, dates, codes, drugs, names, citations, and how they are meant.

The extractors know the language of charts and payers and nothing of any case; `agent/grounding.py` holds what they
find against the ledger of one. Positions count characters of the text as it was given.
"""
