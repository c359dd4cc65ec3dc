"""What is left to do before a request is complete: which drugs, which actions, and the shortest way to one of them."""
