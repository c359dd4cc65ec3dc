"""python -m evals.oracle: the agreement run, which knows both sides and therefore stands beside this package."""

from evals.oracle_agreement import main

raise SystemExit(main())
