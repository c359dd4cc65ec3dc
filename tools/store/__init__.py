"""The store: what is known at run time, kept in a database, and the policy index beside it."""

from tools.store.rows import ChartEntry, DatasetInfo, Draft, DraftFile, PatientRow, Review
from tools.store.store import Store

__all__ = ["ChartEntry", "DatasetInfo", "Draft", "DraftFile", "PatientRow", "Review", "Store"]
