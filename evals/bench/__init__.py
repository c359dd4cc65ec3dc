"""Benchmarks: each module has a `main` that gives its figures by name; `__main__` runs, prints and keeps them."""
