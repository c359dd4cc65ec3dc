"""The bugs of bugs.jsonl, and planting one: the module's source is changed while it is imported, and nowhere else.

`python -m evals.agreement.mutants.bugs NAME QUESTIONS [first]` asks the suites with one bug in a process of its own;
NAME "-" plants nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import msgspec


class Bug(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`old` stands exactly once in the module; else the bug can't be planted and has to be written anew."""

    name: str
    kind: str
    module: str
    old: str
    new: str


BUGS: tuple[Bug, ...] = tuple(
    msgspec.json.decode(line, type=Bug)
    for line in Path(__file__).with_suffix(".jsonl").read_bytes().splitlines()
)


class CannotPlant(RuntimeError):
    """The piece that the bug replaces does not stand exactly once in the engine any more."""


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, bug: Bug) -> None:
        super().__init__(name, path)
        self.bug = bug

    def get_code(self, fullname: str) -> CodeType:
        source = changed(self.get_data(self.path).decode(), self.bug)
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, bug: Bug) -> None:
        self.bug = bug

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.bug.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin:
            spec.loader = _Loader(fullname, spec.origin, self.bug)
        return spec


def changed(source: str, bug: Bug) -> str:
    """The source with the bug in it. Errors: CannotPlant."""
    if source.count(bug.old) != 1:
        raise CannotPlant(
            f"{bug.name}: {bug.old!r} stands {source.count(bug.old)} times in {bug.module}, not once"
        )
    return source.replace(bug.old, bug.new)


def plant(bug: Bug) -> None:
    """From now on this process imports the engine with the bug. Errors: CannotPlant where it is imported already."""
    if bug.module in sys.modules:
        raise CannotPlant(f"{bug.module} is imported already")
    sys.meta_path.insert(0, _Finder(bug))


def main(name: str, questions: str, *rest: str) -> None:
    """Plant, ask, and print what is wrong by suite."""
    if name != "-":
        plant(next(bug for bug in BUGS if bug.name == name))
    from evals.agreement.mutants.suites import run  # which imports the engine

    print(json.dumps(run(Path(questions), first=bool(rest))))


if __name__ == "__main__":
    main(*sys.argv[1:])
