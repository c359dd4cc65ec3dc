"""What an extra brings is imported where it is used; where it is not installed, an error names the extra."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from tools.common.errors import Unavailable

_EXTRA = re.compile(r"([\w.-]+).*;.*\bextra == ['\"]([\w-]+)['\"]")


class Extra:
    """A module that is imported when something of it is first used.

    Raises:
        Unavailable: it is not installed.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(import_module(self._module), name)
        except ModuleNotFoundError as error:
            raise (missing(error) or error) from None


def missing(error: ModuleNotFoundError) -> Unavailable | None:
    """What is to be installed; None for a module that no extra brings."""
    from importlib.metadata import requires  # a cold start does without

    module = (error.name or "").partition(".")[0]
    found = (_EXTRA.match(line) for line in requires("paladin-pa") or ())
    for package, extra in (match.groups() for match in found if match):
        if package.replace("-", "_").casefold() == module:
            return Unavailable(f"{package} is not installed here: pip install 'paladin-pa[{extra}]'")
    return None
