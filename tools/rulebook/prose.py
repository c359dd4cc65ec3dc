"""Prints a tree of criteria as numbered clauses in a payer's house style, and reads such clauses back.

`describe` says one node in our own short words. A composite is a lead-in clause whose parts follow with
numbers of their own, so that every leaf and every composite has a clause id and a verbatim quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, takewhile
from typing import Any, NamedTuple, TypeVar

import msgspec

from tools.common.errors import Invalid
from tools.domain.rules import AllOf, AnyOf, AtLeast, Composite, Node, NoneOf, Required
from tools.rulebook.leaves import OWN_FIXED, Phrases, bare
from tools.rulebook.plain import describe
from tools.rulebook.wording import Slot, Style, Template, decimal, listed, whole
from tools.terminology.terms import INDICATIONS

__all__ = ["House", "Line", "Style", "bare", "describe"]

_KINDS: dict[str, type] = {"all_of": AllOf, "any_of": AnyOf, "none_of": NoneOf, "at_least": AtLeast}
_NAMES = {kind: name for name, kind in _KINDS.items()}
FIXED: dict[str, tuple[str, ...]] = {
    "quantity": ("quantity", "unit", "days"),
    "strength": ("label", "quantity", "unit", "days"),
    "starting": ("label", "days"),
    "supply": ("quantity", "unit", "days"),
    "lifetime": ("quantity", "unit"),
    "initial": ("uses", "months"),
    "renewal": ("uses", "months"),
    "renewing": ("days",),
}
OF_A_USE = "For {uses}: "  # before a limit that is a rule's own
AGAIN = "Where a renewal has been approved before, this takes the place of what a first one asks. "
_TOKEN = re.compile(r"\{([1aAiIm])\}")
# A form is faxed.
_SPELLED = str.maketrans({"≥": "at least", "≤": "at most"})
Path = tuple[int, ...]
P = TypeVar("P", bound=Node | Required)


class Line(NamedTuple):
    """One printed clause: where it stands, its number and its words."""

    path: Path
    id: str
    text: str


class House:
    """One style at work. A path is (section, clause, part, …), counted from 1."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.phrases = Phrases(style)
        names = {name: use for use, name in INDICATIONS.items()}
        uses = listed("uses", style.both, lambda use: INDICATIONS.get(use, use), names)
        numbers = {name: whole(name) for name in ("k", "days", "months")}
        free = {name: _free(name) for name in ("drug", "label", "unit", "parts")}
        slots = {"uses": uses, "quantity": decimal("quantity"), **numbers, **free}

        def template(text: str, names: Iterable[str], where: str) -> Template:
            return Template(text, {name: slots[name] for name in names}, f"style {style.id}, {where}")

        leads = {**style.lead, "renew_again": style.lead.get("renew_again") or AGAIN + style.lead["renew"]}
        self.leads = {
            name: template(text, ("uses", "drug", "k"), f"lead.{name}") for name, text in leads.items()
        }
        self.asks = {name: template(style.ask[name], ("k", "parts"), f"ask.{name}") for name in _KINDS}
        self.fixed: dict[str, Template] = {}
        for name, own in FIXED.items():
            text, where = style.fixed.get(name) or OWN_FIXED[name], f"fixed.{name}"
            self.fixed[name] = template(text, (*own, "drug"), where)
            self.fixed[f"{name}_of_use"] = template(OF_A_USE + text, (*own, "drug", "uses"), where)

    def check(self) -> None:
        """Invalid if a sentence or question has a slot that it may not have, or lacks one that it needs."""
        assert self.phrases.clauses and self.phrases.questions and self.phrases.documents

    # --- numbers -----------------------------------------------------------------------------------------

    def number(self, path: Path) -> str:
        """The printed number of a clause, e.g. 1.2, C-4(a), § 3(b)."""
        section = self.style.order[path[0] - 1]
        levels = self.style.number
        mark = self.style.mark.get(section, "")
        shown = (
            _TOKEN.sub(partial(_token, place, mark), level)
            for place, level in zip(path, (*levels, *[levels[-1]] * len(path)), strict=False)
        )
        return "".join(shown)

    def section(self, name: str) -> int:
        return self.style.order.index(name) + 1

    # --- printing ----------------------------------------------------------------------------------------

    def print_tree(self, node: P, path: Path) -> tuple[P, list[Line]]:
        """The node, or document, with its clause ids, quotes and questions, and the clauses themselves in order."""
        number = self.number(path)
        if not isinstance(node, Composite):
            text = self.phrases.clause(node)
            question = "" if isinstance(node, Required) else self.phrases.question(node)
            return _stamp(node, number, text, question), [Line(path, number, text)]
        text = self.leads[_NAMES[type(node)]].show({"k": getattr(node, "k", 0)})
        question = self._ask(node)
        return self._with_children(node, path, Line(path, number, text), question)

    def print_root(
        self, root: AllOf, lead: str, uses: Sequence[str], drug: str, path: Path
    ) -> tuple[AllOf, list[Line]]:
        """A whole tree under a lead-in that names its uses ("approve" or "renew")."""
        text = self.leads[lead].show({"uses": tuple(uses), "drug": drug})
        return self._with_children(root, path, Line(path, self.number(path), text), "")

    def print_list(
        self, parts: Sequence[P], lead: str, uses: Sequence[str], drug: str, path: Path
    ) -> tuple[tuple[P, ...], list[Line]]:
        """Exclusions or documents under their lead-in ("exclude" or "attach")."""
        text = self.leads[lead].show({"uses": tuple(uses), "drug": drug})
        stamped, lines = self._numbered(parts, path)
        return stamped, [Line(path, self.number(path), text), *lines]

    def _numbered(self, parts: Sequence[P], path: Path) -> tuple[tuple[P, ...], list[Line]]:
        """The parts under this path, each with its clauses."""
        printed = [self.print_tree(part, (*path, index)) for index, part in enumerate(parts, 1)]
        return tuple(part for part, _ in printed), [line for _, lines in printed for line in lines]

    def say(self, name: str, path: Path, **values: Any) -> Line:
        """A clause of fixed wording: a key of FIXED, or of a limit for some uses, `…_of_use`."""
        return Line(path, self.number(path), self.fixed[name].show(values))

    def _ask(self, node: Any) -> str:
        parts = "; ".join(describe(child) for child in node.children).translate(_SPELLED)
        return self.asks[_NAMES[type(node)]].show({"k": getattr(node, "k", 0), "parts": parts})

    def _with_children(self, node: Any, path: Path, line: Line, question: str) -> tuple[Any, list[Line]]:
        children, lines = self._numbered(node.children, path)
        whole_node = msgspec.structs.replace(node, children=children)
        return _stamp(whole_node, line.id, line.text, question), [line, *lines]

    # --- reading back ------------------------------------------------------------------------------------

    def read_tree(self, clauses: Mapping[str, str], path: Path) -> Node:
        """The tree whose clauses these are; ids and texts are not in the prose and stay empty."""
        number = self.number(path)
        text = clauses[number]
        if self.number((*path, 1)) not in clauses:
            return self.phrases.read(text)
        for name, kind in _KINDS.items():
            if (found := self.leads[name].read(text)) is not None:
                return kind(id="", children=self.read_children(clauses, path), **found)  # type: ignore[no-any-return]
        raise Invalid(f"style {self.style.id}: clause {number} has parts but is no lead-in: {text!r}")

    def read_children(self, clauses: Mapping[str, str], path: Path) -> tuple[Node, ...]:
        return tuple(self.read_tree(clauses, child) for child in self.paths(clauses, path))

    def read_documents(self, clauses: Mapping[str, str], path: Path) -> tuple[Required, ...]:
        return tuple(self.phrases.read_document(clauses[self.number(p)]) for p in self.paths(clauses, path))

    def read_lead(self, name: str, text: str) -> tuple[str, ...] | None:
        """The uses that a lead-in names; None if the text is another kind of clause."""
        if name == "renew" and self.leads["renew_again"].read(text) is not None:
            return None  # a drug's name can be anything, those words too
        found = self.leads[name].read(text)
        return None if found is None else found["uses"]

    def paths(self, clauses: Mapping[str, str], path: Path) -> Iterator[Path]:
        """The paths right under this one that have a clause."""
        under = ((*path, index) for index in count(1))
        return takewhile(lambda one: self.number(one) in clauses, under)


def _stamp(part: Any, clause_id: str, quote: str, question: str) -> Any:
    text = part.text or describe(part)
    return msgspec.structs.replace(part, text=text, clause_id=clause_id, quote=quote, question=question)


def _free(field: str) -> Slot:
    return Slot(lambda v: str(v[field]), lambda: r".+?", lambda t: {field: t})


def _token(place: int, mark: str, match: re.Match[str]) -> str:
    kind = match[1]
    if kind == "m":
        return mark
    if kind == "1":
        return str(place)
    text = _letters(place) if kind in "aA" else _roman(place)
    return text.upper() if kind.isupper() else text


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _roman(number: int) -> str:
    text = ""
    for value, letters in ((50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")):
        times, number = divmod(number, value)
        text += letters * times
    return text
