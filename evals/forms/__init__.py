"""Forms as payers and states print them, in words of our own, on which `pa form` is tried."""
