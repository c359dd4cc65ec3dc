"""From a request to a reviewed draft: what is asked for, the workflow and its steps, revision, and the papers."""
