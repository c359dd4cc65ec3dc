"""How Paladin grows with its population, measured: a process for each figure, a table and a plot of all of them."""
