"""Letters of payers, labelled, and how well they are read."""
