"""The gold set of policy search."""
