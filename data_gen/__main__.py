"""`python -m data_gen 1000 --out world`."""

from data_gen.cli import main

if __name__ == "__main__":
    main()
