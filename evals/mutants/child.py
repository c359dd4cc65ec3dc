"""One bug in a process of its own: python -m evals.mutants.child NAME QUESTIONS [first]. NAME "-" plants nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from evals.mutants.bugs import BUGS
from evals.mutants.planting import plant
from evals.mutants.suites import run

name, questions, *rest = sys.argv[1:]
if name != "-":
    plant(next(bug for bug in BUGS if bug.name == name))
print(json.dumps(run(Path(questions), first=bool(rest))))
