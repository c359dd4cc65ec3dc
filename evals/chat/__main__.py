"""`python -m evals.chat`; see runner.py."""

import sys

from evals.chat.runner import main

if __name__ == "__main__":
    sys.exit(main())
