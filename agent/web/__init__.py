"""The workspace: pages over the same answers, for the person who works on requests all day."""
