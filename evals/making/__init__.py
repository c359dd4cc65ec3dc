"""Making fresh items of every kind, with labels by construction: the truth first, then somebody who realises it."""
