"""Planting a bug: the module's source is changed while it is imported, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from evals.mutants.bugs import Bug


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
