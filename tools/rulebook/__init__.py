"""Rules on paper: read from YAML, printed as clauses in a payer's voice, and read back from the document."""
