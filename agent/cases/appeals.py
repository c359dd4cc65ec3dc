"""What the doors of appeals share: the letter read and held against its patient, the strategy, the papers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agent.cases.denials import require_same_drug
from agent.drafts.letter_wording import Reworded, worded
from agent.runtime.dump import to_json
from tools.appeals.letter import appeal_letter
from tools.appeals.packet import packet
from tools.appeals.records import Odds, Strategy
from tools.appeals.strategy import strategy
from tools.appeals.timing import clocks_of_letter, decided_level, notice_of
from tools.common import sealed
from tools.common.errors import Invalid, Refused
from tools.denials.identity import require_same
from tools.denials.papers import text_of
from tools.denials.reader import read_letter
from tools.denials.records import Denial, LetterKind
from tools.domain.records import Plan, Request
from tools.lifecycle.levels import levels_of
from tools.lifecycle.records import AuthorizationCase, Paper
from tools.lifecycle.running import Clock, clocks_of
from tools.papers.case import Case
from tools.papers.letter_pdf import letter_pdf
from tools.queries.check import ask, decide
from tools.store.store import Store

if TYPE_CHECKING:
    from agent.models.model import Model
    from tools.appeals.letter import Filing


class PayerLetter(NamedTuple):
    """The payer's letter as it came: its text, its bytes if it is a PDF, and the file with its hash if it is one."""

    text: str
    pdf: bytes | None = None
    paper: Paper | None = None


class AppealQuery(NamedTuple):
    """About whom and what an appeal is asked. `level` is the one that decided, "" to take it from the letter;
    `received` is the day on which the letter came in."""

    patient_id: str
    drug: str
    plan_id: str = ""
    as_of: date | None = None
    level: str = ""
    received: date | None = None
    indication: str = ""
    case_id: int | None = None


class AppealAssessment(NamedTuple):
    """A letter that came in, whose case it is, and what to do about it."""

    case: Case
    denial: Denial
    decision: PayerLetter
    found: Strategy


def assess(store: Store, asked: AppealQuery, decision: PayerLetter) -> AppealAssessment:
    """Read the letter, hold it against the patient, and find what to do. Refused if it is about somebody else, or not
    the letter that the case has on record; Invalid if it is about another drug, or nobody says about whom."""
    asked = _asked_about(store, asked)
    recorded = store.authorization_case(asked.case_id) if asked.case_id is not None else None
    if recorded and decision.paper:
        _same_letter(recorded, decision.paper)
    case = _case(store, asked)
    read = read_letter(decision.text, [plan.payer for plan in store.plans()], case.policy)
    denial = _as_recorded(read, recorded)
    require_same(denial, case.patient)
    require_same_drug(denial, case.drug.name)
    pending = _pending(recorded, denial)
    entered = _decided(recorded, pending) if recorded else ""
    decided = _level(asked.level, case.plan) or entered or decided_level(denial, case.plan)
    clocks = _clocks(recorded, denial, case, decided, asked.received)
    if pending and recorded:
        clocks = clocks_of(recorded, case.plan, case.as_of)
    odds = odds_of(store.authorization_cases(), case, decided)
    found = strategy(case, denial, clocks, decided=decided, odds=odds, pending=pending)
    return AppealAssessment(case, denial, decision, found)


def _as_recorded(denial: Denial, recorded: AuthorizationCase | None) -> Denial:
    """A letter that does not say clearly what it decides is what a person entered of it in its case."""
    decides: dict[str, LetterKind] = {"denied": "denial", "upheld": "appeal_upheld"}
    if recorded is None or denial.kind != "unclear" or recorded.state not in decides:
        return denial
    return msgspec.structs.replace(denial, kind=decides[recorded.state])


def _pending(recorded: AuthorizationCase | None, denial: Denial) -> str:
    """The level of the appeal that is filed and not decided: what was written before it does not decide it."""
    if recorded is None or recorded.state != "appealed" or recorded.appeal is None:
        return ""
    decides = denial.kind in ("appeal_upheld", "appeal_overturned")
    later = denial.dated is None or denial.dated.value >= recorded.appeal.on
    return "" if decides and later else recorded.level


def _decided(recorded: AuthorizationCase, pending: str) -> str:
    """The level that decided last; that of a pending appeal did not."""
    if not pending:
        return recorded.level
    return next((level for level in reversed(recorded.notices) if level != "request"), "")


def _asked_about(store: Store, asked: AppealQuery) -> AppealQuery:
    """With patient, drug and plan of the case, where one is named; Invalid if that is said twice or not at
    all."""
    if asked.case_id is not None:
        if asked.patient_id or asked.drug:
            raise Invalid(f"case {asked.case_id} names its patient and drug itself; leave them out")
        head = store.authorization_case(asked.case_id).head
        return asked._replace(
            patient_id=head.patient_id,
            drug=head.drug,
            plan_id=asked.plan_id or head.plan_id,
            indication=asked.indication or head.indication,
        )
    if not (asked.patient_id and asked.drug):
        raise Invalid(
            "name a case, or a patient and a drug,"
            " e.g. `pa appeal plan --patient P001 --drug Ozempic --denial letter.txt`"
        )
    return asked


def _case(store: Store, asked: AppealQuery) -> Case:
    request = Request(drug=asked.drug, indication=asked.indication)
    found = ask(store, asked.patient_id, request, plan_id=asked.plan_id, as_of=asked.as_of)
    return found.case(decide(store, found), store.policy(found.plan.id, found.drug.name))


def _same_letter(recorded: AuthorizationCase, paper: Paper) -> None:
    notices = [event.facts.notice for event in recorded.notices.values()]
    letters = [notice.letter for notice in notices if notice and notice.letter]
    entered = {letter.sha256 for letter in letters if letter.title == paper.title}
    if entered and paper.sha256 not in entered:
        raise Refused(
            f"{paper.title} is not the letter that case {recorded.id} has on record under this name; put it back as"
            f" it came, or enter this one: pa case letter {recorded.id} {paper.title}"
        )


def _level(given: str, plan: Plan) -> str:
    """The level that decided, as it was named; "request" is the first decision."""
    if given in ("", "request"):
        return ""
    known = [level.key for level in levels_of(plan.line_of_business, plan.internal_levels)]
    if given not in known:
        raise Invalid(f"{plan.id} has no level {given!r}; it has request, {', '.join(known)}")
    return given


def _clocks(
    recorded: AuthorizationCase | None, denial: Denial, case: Case, decided: str, received: date | None
) -> tuple[Clock, ...]:
    """The clocks of the case on record if the letter's decision is entered in it, with what the letter itself
    gives and the log has not; else those that the letter began."""
    notice = notice_of(denial, case.plan, decided, received)
    level = decided or "request"
    entered = recorded.notices.get(level) if recorded else None
    logged = entered.facts.notice if entered else None
    if not (recorded and entered and logged and notice and logged.dated == notice.dated):
        return clocks_of_letter(denial, case, decided, received)
    whole = msgspec.structs.replace(
        logged,
        received=received or logged.received or notice.received,
        deadline=logged.deadline or notice.deadline,
        deadline_for=logged.deadline_for if logged.deadline else notice.deadline_for,
        within_days=logged.within_days or notice.within_days,
        peer_to_peer=logged.peer_to_peer or notice.peer_to_peer,
    )
    told = msgspec.structs.replace(entered, facts=msgspec.structs.replace(entered.facts, notice=whole))
    merged = msgspec.structs.replace(recorded, notices={**recorded.notices, level: told})
    return clocks_of(merged, case.plan, case.as_of)


def odds_of(cases: Iterable[AuthorizationCase], case: Case, decided: str) -> Odds | None:
    """How the appeals to this payer that are on record were decided; None if there are none."""
    results = [
        event.what
        for other in cases
        if other.head.plan_id == case.plan.id
        for event in other.events
        if event.what in ("overturned", "partly_overturned", "upheld")
    ]
    if not results:
        return None
    won = sum(result != "upheld" for result in results)
    return Odds(decided=len(results), won=won, of=f"appeals to {case.plan.payer} on record here")


# --- papers ----------------------------------------------------------------------------------------------


def compose(made: AppealAssessment, filing: Filing, model: Model | None = None) -> Reworded:
    """The letter of appeal, in the model's words where they hold, or in code's; Refused where none is right."""
    letter = appeal_letter(made.case, made.denial, made.found, filing)
    dated = made.denial.dated
    return worded(letter, made.case, model, decided=dated.value if dated else None)


def bind(made: AppealAssessment, said: Reworded) -> bytes:
    """The packet with this letter."""
    decision = made.decision.pdf if made.decision.pdf is not None else made.decision.text
    return packet(made.case, made.denial, made.found, said.letter, decision, made.case.policy)


def printed(made: AppealAssessment, said: Reworded) -> dict[str, bytes]:
    """File name and content of everything that `pa appeal draft` writes."""
    stem = f"{made.case.patient.id}-{made.case.drug.name}-appeal"
    data = {**msgspec.to_builtins(said.letter), "wording": said.wording, "strategy": made.found}
    return {
        f"{stem}.txt": said.letter.text.encode(),
        f"{stem}.md": said.letter.markdown.encode(),
        f"{stem}.pdf": letter_pdf(said.letter),
        f"{stem}.json": to_json(data).encode(),
    }


def payer_letter(file: Path) -> PayerLetter:
    """The payer's letter from a file, read as `pa denial read` reads it: a scan, or half of one, is refused."""
    text, content = text_of(file), sealed.read(file)
    paper = Paper(title=file.name, sha256=sha256(content).hexdigest())
    return PayerLetter(text, content if file.suffix.lower() == ".pdf" else None, paper)
