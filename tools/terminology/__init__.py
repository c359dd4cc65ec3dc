"""One terminology, as data: what the field calls its medicines, conditions, tests, units, papers and days."""
