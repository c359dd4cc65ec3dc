"""`pa catalog`: check a catalog, list it as a table, and show a plan's rules as prose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tools.common.errors import Invalid, NotFound, nearest

if TYPE_CHECKING:
    from data_gen.catalog_loader import Catalog
    from tools.domain.records import Benefit, Plan, Policy, QuantityLimit

app = typer.Typer(
    help="Check a catalog of drugs, payers and rules, and show its rules as prose.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)
Folder = Annotated[
    Path | None,
    typer.Option("--catalog", envvar="PALADIN_CATALOG", help="Your own catalog folder, laid over ours."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(
    epilog="[bold]Example[/]\n  pa catalog check --catalog my_clinic    your files, each rule as your policy prints it"
)
def check(catalog: Folder = None, as_json: AsJson = False) -> None:
    """Validate every file, read every printed rule back, and show the rules as prose.

    With a folder of your own, its plans alone are shown. An error names file and line; exit code 2.
    """
    loaded = _load(catalog)
    unfaithful = list(_differences(loaded))
    shown = [plan for plan in loaded.plans.values() if not loaded.overlaid or plan.id in loaded.overlaid]
    if as_json:
        _print_json(_summary(loaded, shown))
    else:
        for plan in shown:
            _print_plan(loaded, plan, None)
        print(_counts(loaded))
    if unfaithful:
        raise Invalid(f"printed and read back, these rules differ: {', '.join(unfaithful)}")


@app.command(
    epilog="[bold]Examples[/]\n  pa catalog show CASCADE-GOLD Ozempic\n  pa catalog show RIVERBEND-MCO --json"
)
def show(
    plan: Annotated[str, typer.Argument(help="A plan's id, e.g. CASCADE-GOLD.")],
    drug: Annotated[str, typer.Argument(help="A drug; without it, all that need a PA.")] = "",
    catalog: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what a plan says of a drug: the row of its table, and the rule as the policy prints it."""
    loaded = _load(catalog)
    found = loaded.plans[_known("plan", plan, loaded.plans)]
    name = _known("drug", drug, loaded.drugs) if drug else None
    if as_json:
        _print_json(_summary(loaded, [found], name))
        return
    _print_plan(loaded, found, name)


@app.command("list", epilog="[bold]Example[/]\n  pa catalog list")
def list_cells(catalog: Folder = None, as_json: AsJson = False) -> None:
    """List every plan and drug: covered or not, tier, copay, and whether a PA is needed."""
    loaded = _load(catalog)
    if as_json:
        rows = (({name: _row(b) for name, b in plan.benefits.items()}) for plan in loaded.plans.values())
        _print_json(dict(zip(loaded.plans, rows, strict=True)))
        return
    print(*_overview(loaded), _counts(loaded), sep="\n")


# --- what is shown ---------------------------------------------------------------------------------------


def _overview(loaded: Catalog) -> Iterator[str]:
    """Plans down, drugs across; drugs that find no room beside the others stand in a table below."""
    yield "tier, PA = prior authorization, - = not covered"
    first = max(map(len, (*loaded.plans, "plan"))) + 2
    rows = {name: [_cell(plan.benefits[name]) for plan in loaded.plans.values()] for name in loaded.drugs}
    columns = {name: max(map(len, (name, *cells))) + 2 for name, cells in rows.items()}
    left = list(loaded.drugs)
    while left:
        room, shown = get_terminal_size().columns - first, [left.pop(0)]
        while left and sum(columns[name] for name in (*shown, left[0])) - 2 <= room:
            shown.append(left.pop(0))
        yield ""
        yield ("plan".ljust(first) + "".join(name.ljust(columns[name]) for name in shown)).rstrip()
        for place, plan in enumerate(loaded.plans):
            cells = (rows[name][place].ljust(columns[name]) for name in shown)
            yield (plan.ljust(first) + "".join(cells)).rstrip()
    yield ""


def _load(folder: Path | None) -> Catalog:
    from data_gen.catalog_loader import load_catalog

    return load_catalog(folder.expanduser() if folder else None)


def _known(what: str, value: str, known: dict[str, Any]) -> str:
    """The name as it is written in the catalog, whatever its case."""
    names = {name.casefold(): name for name in known}
    if value.casefold() not in names:
        raise NotFound(what, value, nearest(value, known), f"it has {', '.join(known)}")
    return names[value.casefold()]


def _differences(loaded: Catalog) -> Iterator[str]:
    """Ids of rules whose document does not say what they say."""
    from tools.rulebook.policy_rules import read_rules, stated

    for plan in loaded.plans.values():
        for benefit in plan.benefits.values():
            if benefit.pa_required:
                said = read_rules(loaded.policies[benefit.policy_id], loaded.houses[plan.id])
                yield from (rule.id for rule in benefit.rules if said[rule.indication] != stated(rule))


def _cell(benefit: Benefit) -> str:
    if not benefit.covered:
        return "-"
    return f"{benefit.tier or ''}{' PA' if benefit.pa_required else ''}".strip() or "yes"


def _row(benefit: Benefit) -> dict[str, Any]:
    if not benefit.covered:
        return {"covered": False, "reason": benefit.reason}
    limit = benefit.quantity_limit
    return {
        "covered": True,
        "pa_required": benefit.pa_required,
        "tier": benefit.tier,
        "copay": benefit.copay,
        "indications": list(benefit.indications),
        "step_therapy": list(benefit.step_therapy),
        "quantity_limit": _amount(limit) if limit else "",
        "excluded_uses": benefit.excluded_uses,
        "policy_id": benefit.policy_id,
    }


def _amount(limit: QuantityLimit) -> str:
    unit = limit.unit if limit.unit == "mL" else f"{limit.unit}s"
    return f"{limit.quantity:g} {unit} per {limit.days} days"


def _print_plan(loaded: Catalog, plan: Plan, drug: str | None) -> None:
    print(f"{plan.id}: {plan.payer}, {plan.name} ({plan.line_of_business.replace('_', ' ')})")
    for name, benefit in plan.benefits.items():
        if drug not in (None, name) or (drug is None and not benefit.pa_required):
            continue
        print(f"\n{name}: {_sentence(benefit)}")
        if benefit.pa_required:
            _print_policy(loaded.policies[benefit.policy_id])
    print()


def _sentence(benefit: Benefit) -> str:
    if not benefit.covered:
        return f"not covered ({benefit.reason})"
    row = _row(benefit)
    parts = [f"tier {benefit.tier}" if benefit.tier else "", benefit.copay, row["quantity_limit"]]
    parts.append("PA required" if benefit.pa_required else "no PA")
    parts += [f"not for {use} ({why})" for use, why in benefit.excluded_uses.items()]
    return "covered; " + "; ".join(part for part in parts if part)


def _print_policy(policy: Policy) -> None:
    section = ""
    for clause in policy.clauses:
        if clause.section in ("quantity", "appeal"):
            continue
        if clause.section != section:
            section = clause.section
            print(f"  {section}")
        print(f"    {clause.id}  {clause.text}")


def _counts(loaded: Catalog) -> str:
    cells = [benefit for plan in loaded.plans.values() for benefit in plan.benefits.values()]
    rules = sum(len(benefit.rules) for benefit in cells)
    covered = sum(benefit.covered for benefit in cells)
    return (
        f"{len(loaded.plans)} plans, {len(loaded.drugs)} drugs: {covered} of {len(cells)} cells covered, "
        f"{sum(benefit.pa_required for benefit in cells)} with PA, {rules} rules"
    )


def _summary(loaded: Catalog, plans: list[Plan], drug: str | None = None) -> dict[str, Any]:
    return {
        "ok": True,
        "counts": _counts(loaded),
        "plans": [
            {
                "plan_id": plan.id,
                "payer": plan.payer,
                "drugs": {
                    name: {**_row(benefit), "rules": [_rule(rule) for rule in benefit.rules]}
                    for name, benefit in plan.benefits.items()
                    if drug in (None, name)
                },
            }
            for plan in plans
        ],
    }


def _rule(rule: Any) -> dict[str, Any]:
    def tree(node: Any) -> dict[str, Any]:
        said = {"id": node.id, "text": node.text, "clause_id": node.clause_id, "quote": node.quote}
        parts = [tree(child) for child in getattr(node, "children", ())]
        return {**said, "parts": parts} if parts else said

    return {
        "id": rule.id,
        "indication": rule.indication,
        "criteria": [tree(node) for node in rule.criteria.children],
        "exclusions": [tree(node) for node in rule.exclusions],
        "documents": [tree(paper) for paper in rule.documents],
        "renewal": [tree(node) for node in rule.renewal.children] if rule.renewal else [],
        "later_renewal": [tree(node) for node in rule.later_renewal.children] if rule.later_renewal else [],
        "initial_months": rule.initial_months,
        "renewal_months": rule.renewal_months,
    }


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))
