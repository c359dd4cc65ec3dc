"""What can be known and done; imports nothing else of ours."""
