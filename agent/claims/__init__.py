"""Reading what a sentence claims of a case, and holding it against the ledger; see agent/grounding.py.

The shared readers of tools/terminology and tools/language find what stands there; nothing of how a text was made is
known here.
"""
