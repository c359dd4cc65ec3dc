"""Prints one policy document from the rules of a benefit, and stamps each node with the clause that prints it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from tools.domain.records import Benefit, Drug, Plan, Policy
from tools.domain.rules import AllOf, Limits, Part, Required, mapped, walk
from tools.rulebook.policy_text import read_policy
from tools.rulebook.prose import House, Line
from tools.terminology.terms import INDICATIONS


class Paper(NamedTuple):
    """What a payer says about its policies: edition, dates, and clauses in its own words."""

    version: str
    effective_from: date
    effective_to: date | None
    quantity: tuple[str, ...]
    authorization: tuple[str, ...]
    appeal: tuple[str, ...]


class Printed(NamedTuple):
    """A benefit whose rules and limits name their clauses, and the document that prints them."""

    benefit: Benefit
    policy: Policy


def print_policy(plan: Plan, benefit: Benefit, drug: Drug, paper: Paper, house: House) -> Printed:
    """The document of one PA cell. Its rules come back with clause ids, quotes and questions."""
    draft = _Draft(plan, benefit, drug, paper, house)
    text = draft.text()
    file = f"{plan.id}-{benefit.drug}".lower().replace(" ", "-") + ".txt"
    policy = read_policy(text, file)
    return Printed(msgspec.structs.replace(draft.benefit, policy_id=policy.id), policy)


class _Draft:
    """The document while it is printed: rules are stamped section by section."""

    def __init__(self, plan: Plan, benefit: Benefit, drug: Drug, paper: Paper, house: House) -> None:
        self.plan, self.drug, self.paper, self.house = plan, drug, paper, house
        self.id = f"{plan.id}-{benefit.drug}".upper().replace(" ", "-")
        self.rules = [
            msgspec.structs.replace(
                rule,
                policy_id=self.id,
                version=paper.version,
                effective_from=paper.effective_from,
                effective_to=paper.effective_to,
            )
            for rule in benefit.rules
        ]
        self.benefit = benefit

    def text(self) -> str:
        style = self.house.style
        printed = {name: getattr(self, f"_{name}")(self.house.section(name)) for name in self._order()}
        self.benefit = msgspec.structs.replace(self.benefit, rules=tuple(self.rules))
        lines = self._header()
        for name in style.order:
            lines += ["", *self._heading(name), *(self._clause(line) for line in printed[name])]
        count = sum(len(clauses) for clauses in printed.values())
        closing = style.layout.get("closing", "End of policy {id} ({count} clauses)")
        return "\n".join([*lines, "", closing.format(id=self.id, count=count)]) + "\n"

    def _order(self) -> list[str]:
        """Criteria first, because documents name the criterion that they prove."""
        return ["criteria", *(name for name in self.house.style.order if name != "criteria")]

    # --- sections ----------------------------------------------------------------------------------------

    def _criteria(self, section: int) -> list[Line]:
        return self._trees(section, "criteria", "approve")

    def _renewal(self, section: int) -> list[Line]:
        lines = self._trees(section, "renewal", "renew")
        lines = self._trees(section, "later_renewal", "renew_again", lines)
        return lines or self._nothing(section, "no_renewal")

    def _trees(self, section: int, field: str, lead: str, before: Sequence[Line] = ()) -> list[Line]:
        """One tree per use; uses with the same tree share it."""
        lines = list(before)
        for group in self._alike(field):
            path = (section, _next(lines))
            tree: AllOf = getattr(self.rules[group[0]], field)
            stamped, more = self.house.print_root(tree, lead, self._uses(group), self.drug.name, path)
            lines += more
            for index in group:
                self._replace(index, field, _keep_names(getattr(self.rules[index], field), stamped))
        return lines

    def _exclusions(self, section: int) -> list[Line]:
        lines = self._lists(section, "exclusions", "exclude")
        for use, why in self.benefit.excluded_uses.items():
            name = INDICATIONS.get(use, use)
            lines.append(self._free(section, lines, f"{name[:1].upper()}{name[1:]}: {why}."))
        return lines or self._nothing(section, "no_exclusions")

    def _documentation(self, section: int) -> list[Line]:
        """While it is printed, a document names its criterion by clause."""
        asked = [rule.documents for rule in self.rules]
        for index, rule in enumerate(self.rules):
            clauses = {node.id: node.clause_id for node in walk(rule.criteria)}
            self._replace(index, "documents", tuple(_for(d, clauses) for d in rule.documents))
        lines = self._lists(section, "documents", "attach")
        for index, papers in enumerate(asked):
            printed = zip(self.rules[index].documents, papers, strict=True)
            named = tuple(msgspec.structs.replace(p, for_criterion=own.for_criterion) for p, own in printed)
            self._replace(index, "documents", named)
        return self._and(section, lines, self.house.style.reading)

    def _lists(self, section: int, field: str, lead: str) -> list[Line]:
        lines: list[Line] = []
        for group in self._alike(field):
            parts = getattr(self.rules[group[0]], field)
            if not parts:
                continue
            path = (section, _next(lines))
            stamped, more = self.house.print_list(parts, lead, self._uses(group), self.drug.name, path)
            lines += more
            for index in group:
                own = getattr(self.rules[index], field)
                self._replace(index, field, tuple(map(_keep_names, own, stamped)))
        return lines

    def _quantity(self, section: int) -> list[Line]:
        lines: list[Line] = []
        benefit = self.benefit
        own = Limits(
            quantity=benefit.quantity_limit,
            by_strength=benefit.strength_limits,
            starting=benefit.starting_limits,
            supplies=benefit.supply_limits,
        )
        printed = self._limits(section, lines, own, ())
        self.benefit = msgspec.structs.replace(
            benefit,
            quantity_limit=printed.quantity,
            strength_limits=printed.by_strength,
            starting_limits=printed.starting,
            supply_limits=printed.supplies,
        )
        for group in self._alike("limits"):
            limits = self.rules[group[0]].limits
            assert limits is not None
            cited = self._limits(section, lines, limits, tuple(self._uses(group)))
            for index in group:
                self._replace(index, "limits", cited)
        return self._and(section, lines, self.paper.quantity) or self._nothing(section, "no_limit")

    def _limits(self, section: int, lines: list[Line], limits: Limits, uses: tuple[str, ...]) -> Limits:
        """The limits with the clauses that print them, which are added to the lines."""

        def say(name: str, limit: Any, label: str = "") -> Any:
            unit = getattr(limit, "unit", "")
            values = {
                "quantity": getattr(limit, "quantity", 0),
                "unit": unit if unit == "mL" else f"{unit}s",
                "days": limit.days,
                "label": label,
                "uses": uses,
            }
            line = self._say(section, lines, f"{name}_of_use" if uses else name, **values)
            return msgspec.structs.replace(limit, clause_id=line.id, quote=line.text)

        return Limits(
            quantity=say("quantity", limits.quantity) if limits.quantity is not None else None,
            by_strength={label: say("strength", limit, label) for label, limit in limits.by_strength.items()},
            starting={label: say("starting", limit, label) for label, limit in limits.starting.items()},
            supplies=tuple(
                [say("lifetime" if limit.days is None else "supply", limit) for limit in limits.supplies]
            ),
        )

    def _authorization(self, section: int) -> list[Line]:
        lines: list[Line] = []
        for name in ("initial", "renewal"):
            for group in self._alike(f"{name}_months"):
                months = getattr(self.rules[group[0]], f"{name}_months")
                self._say(section, lines, name, uses=tuple(self._uses(group)), months=months)
        lines = self._and(section, lines, self.paper.authorization)
        self._say(section, lines, "renewing", days=self.plan.renewal_gap_days)
        return lines

    def _appeal(self, section: int) -> list[Line]:
        return self._and(section, [], self.paper.appeal)

    def _say(self, section: int, lines: list[Line], name: str, **values: Any) -> Line:
        """Add a clause of fixed wording."""
        path = (section, _next(lines))
        lines.append(self.house.say(name, path, drug=self.drug.name, **values))
        return lines[-1]

    def _uses(self, group: Iterable[int]) -> list[str]:
        return [self.rules[index].indication for index in group]

    def _and(self, section: int, lines: list[Line], texts: Sequence[str]) -> list[Line]:
        for text in texts:
            lines.append(self._free(section, lines, text))
        return lines

    def _nothing(self, section: int, name: str) -> list[Line]:
        return [self._free(section, [], self.house.style.fixed[name])]

    def _free(self, section: int, lines: list[Line], text: str) -> Line:
        path = (section, _next(lines))
        said = text.replace("{drug}", self.drug.name).replace("{payer}", self.plan.payer)
        return Line(path, self.house.number(path), " ".join(said.split()))

    # --- rules -------------------------------------------------------------------------------------------

    def _alike(self, field: str) -> list[list[int]]:
        """The rules by number, grouped by what they say here."""
        said = [_nameless(getattr(rule, field)) for rule in self.rules]
        alike = [
            [other for other, value in enumerate(said) if value == one] for one in said if one is not None
        ]
        return [group for place, group in enumerate(alike) if group not in alike[:place]]

    def _replace(self, index: int, field: str, value: Any) -> None:
        self.rules[index] = msgspec.structs.replace(self.rules[index], **{field: value})

    # --- layout ------------------------------------------------------------------------------------------

    def _header(self) -> list[str]:
        style, layout = self.house.style, self.house.style.layout
        ends = self.paper.effective_to
        values = {
            "id": self.id,
            "plan": f"{self.plan.id} - {self.plan.name}",
            "payer": self.plan.payer,
            "drug": f"{self.drug.name} ({self.drug.generic})",
            "version": self.paper.version,
            "effective_from": self.paper.effective_from.strftime(layout["date"]),
            "effective_to": ends.strftime(layout["date"]) if ends else "until further notice",
        }
        rows = [(label, values[field]) for field, label in style.header.items()]
        title, opening = (
            layout[key].format(drug=self.drug.name, payer=self.plan.payer, plan=self.plan.name)
            for key in ("title", "opening")
        )
        rule = [layout["rule"] * len(title)] if layout.get("rule") else []
        return [title, *rule, "", *HEADERS[layout["header"]](rows), "", opening]

    def _heading(self, name: str) -> list[str]:
        layout, place = self.house.style.layout, self.house.section(name)
        title = self.house.style.title[name]
        number = self.house.number((place,))
        text = layout["heading"].format(n=place, number=number, title=title, TITLE=title.upper())
        under = layout.get("under", "")
        return [text, under * len(text)] if under else [text]

    def _clause(self, line: Line) -> str:
        indent = int(self.house.style.layout.get("indent", "0"))
        return f"{' ' * indent * (len(line.path) - 2)}{line.id}  {line.text}"


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    width = max(len(label) for label, _ in rows) + 2
    return [f"{label:<{width}}{value}" for label, value in rows]


HEADERS: dict[str, Callable[[list[tuple[str, str]]], list[str]]] = {
    "lines": lambda rows: [f"{label}: {value}" for label, value in rows],
    "dots": lambda rows: [f"{label} {'.' * (30 - len(label))} {value}" for label, value in rows],
    "aligned": _aligned,
    "equals": lambda rows: [f"{label} = {value}" for label, value in rows],
    "pipes": lambda rows: [
        " | ".join(f"{label}: {value}" for label, value in rows[i : i + 2]) for i in range(0, len(rows), 2)
    ],
    "boxed": lambda rows: [f"| {label}: {value}" for label, value in rows],
    "caps": lambda rows: [f"{label.upper()}: {value}" for label, value in rows],
    "stars": lambda rows: [f"* {label}: {value}" for label, value in rows],
}


def _for(paper: Required, clauses: dict[str, str]) -> Required:
    return msgspec.structs.replace(paper, for_criterion=clauses.get(paper.for_criterion, ""))


def _next(lines: list[Line]) -> int:
    return lines[-1].path[1] + 1 if lines else 1


def _nameless(value: Any) -> Any:
    """The value without names and texts of its own, so that two rules that say the same compare equal."""
    if isinstance(value, tuple):
        return tuple(map(_nameless, value))
    if not isinstance(value, Part):
        return value
    return mapped(value, lambda part: msgspec.structs.replace(part, id="", text=""))


def _keep_names(own: Any, stamped: Any) -> Any:
    """The stamped node under the names that this rule gives it."""
    changes: dict[str, Any] = {"id": own.id}
    if own.text:
        changes["text"] = own.text
    if hasattr(own, "children"):
        changes["children"] = tuple(map(_keep_names, own.children, stamped.children))
    return msgspec.structs.replace(stamped, **changes)
