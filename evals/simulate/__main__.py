"""`python -m evals.simulate`: the same as `pa simulate`."""

from evals.simulate.cli import app

if __name__ == "__main__":
    app(prog_name="pa simulate")
