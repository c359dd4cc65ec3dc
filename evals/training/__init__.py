"""How the weights that ship are made from `evals/examples`: each module makes one file, `python -m evals.train` is the
door to all. Nothing that runs imports them."""
