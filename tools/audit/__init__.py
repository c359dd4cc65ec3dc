"""The audit: who read, decided, changed or sent what, and proof afterwards that the record of it is whole."""
