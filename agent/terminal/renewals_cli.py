"""`pa renewals`: approvals that end, and whether today's record will renew them."""

from __future__ import annotations

from datetime import date

from rich.progress import track
from rich.text import Text
from typer import Option

from agent.cases import casefile
from agent.cases.renewals import asked, renewals
from agent.drafts.drafting import draft_alone
from agent.drafts.requests import complete_request
from agent.runtime.home import now
from agent.runtime.settings import Settings
from agent.terminal.common import JsonArray, OnlyPatient, opened, person
from agent.terminal.due_cli import ahead
from agent.terminal.lines import answer
from agent.terminal.screen import below, console, say
from tools.common.errors import Refused
from tools.lifecycle.records import Facts
from tools.lifecycle.renewals import Need, Renewal
from tools.store.store import Store

GOOD = ("ready", "not_required")
USUAL = 0.8  # the share of days covered from which adherence is usually called good


def list_renewals(
    within: str = Option("60d", metavar="TIME", help="How far ahead: 60d, 8w, 3m."),
    patient_id: OnlyPatient = "",
    failing: bool = Option(False, "--failing", help="Only those that will not pass as they stand."),
    draft: bool = Option(False, "--draft", help="Draft those that pass today; each waits for review."),
    as_json: JsonArray = False,
) -> None:
    """List the approvals that end, whether they will be renewed, and what to do before when."""
    settings, store = opened()
    if patient_id:
        store.patient(patient_id)
    day, until = settings.day(), lambda day: ahead(day, within)

    def listed() -> list[Renewal]:
        return [one for one in renewals(store, day, until, patient_id) if not failing or one.then not in GOOD]

    found = listed()
    if draft:
        _draft_all(store, settings, found)
        found = listed()
    answer(found, as_json, lambda: _show(found, within))


def _draft_all(store: Store, settings: Settings, found: list[Renewal]) -> None:
    """Draft every renewal that passes today; its case says from then on that the renewal is due."""
    out = console(stderr=True)
    wanted = [one for one in found if one.outcome == "ready" and not one.in_work and one.draft_id is None]
    for one in track(wanted, "Drafting", console=out, disable=not out.is_terminal, transient=True):
        try:
            made = draft_alone(store, settings, complete_request(asked(store, one))).draft
        except Refused as refusal:
            out.print(f"{one.patient_id} {one.ending.drug}: {refusal}")
            continue
        number = one.ending.case_id
        if number is not None and store.authorization_case(number).state != "renewal_due":
            entry = casefile.Entry(person(""), one.as_of, now())
            facts = Facts(basis=casefile.basis_of(made))
            casefile.record(store, number, "renewal_due", entry, facts=facts)


def _show(found: list[Renewal], within: str) -> None:
    if not found:
        say(f"No approval ends within {within}.")
        return
    passing = sum(one.outcome in GOOD for one in found)
    days = sorted({one.as_of for one in found})
    as_of = " to ".join(map(str, dict.fromkeys((days[0], days[-1]))))
    title = f"Approvals that end within {within}, as of {as_of}"
    say(f"{title}: {passing} of {len(found)} pass today", style="bold")
    for one in found:
        say(below(_head(one)))
        for line in _lines(one):
            say(line, indent=2)


def _head(one: Renewal) -> Text:
    ending = one.ending
    left, day = one.days_left, ending.approval.end
    end = f"ends {day} (in {left} days)" if left >= 0 else f"ended {day}, {-left} days ago"
    return Text.assemble(
        (f"{ending.drug} for {one.name} ({one.patient_id})", "bold"),
        (f"  {one.payer} · {ending.source}\n", "dim"),
        end,
        " · ",
        (f"submit by {one.submit_by}", "bold red" if one.as_of > one.submit_by else ""),
        (f" ({one.counted})", "dim"),
    )


def _lines(one: Renewal) -> list[Text]:
    lines = [Text(one.says, "green" if one.outcome in GOOD and one.then in GOOD else "bold yellow")]
    if one.fills:
        share = f"{one.fills.days} of {one.fills.of} days ({100 * one.fills.share:.0f} %)"
        low = "; payers usually look for 80 %" if one.fills.share < USUAL else ""
        said = f"fills on record cover {share}, the last one to {one.fills.last_until}{low}"
        lines.append(Text(said, "yellow" if low else "dim"))
    told: set[str] = set()
    for need in one.needs:
        lines.append(_need(need, or_else=need.one_of in told, as_of=one.as_of))
        told |= {need.one_of} - {""}
    if one.would:
        whole = "if that were so" if len(one.needs) == 1 else "if all of that were so"
        lines.append(Text(f"{whole}, it would be: {one.would.replace('_', ' ')}"))
    if one.alternatives:
        lines.append(Text(f"met today: {', '.join(one.alternatives)}", "dim"))
    return [*lines, Text(_next(one), "dim")]


def _need(need: Need, *, or_else: bool, as_of: date) -> Text:
    what = f"{'or' if or_else else '→'} {need.what}{f': {need.goal}' if need.goal else ''}"
    later = need.not_before is not None and need.not_before > as_of
    window = f"from {need.not_before} to {need.by}" if later else f"by {need.by}"
    return Text.assemble(what, (f"  {window}", "dim"))


def _next(one: Renewal) -> str:
    if one.in_work:
        return f"under way: {one.in_work}"
    if one.then in ("wrong_plan", "not_covered") or (one.then == one.outcome == "likely_denial"):
        return "a draft would not help; see `pa check`"
    if one.draft_id is not None:
        return f"draft {one.draft_id} is there: pa review {one.draft_id}"
    case = f"{one.patient_id} {one.ending.drug} --plan {one.ending.plan_id}"
    return f"draft it: pa draft {case} --kind renewal"
