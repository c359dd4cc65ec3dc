"""Work that is killed in the middle, again and again, and held against what it should have come to."""
