"""The documents that a rule wants beside the answers, and the records that fulfil them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec

from tools.domain.records import (
    Document,
    Evidence,
    Fill,
    Finding,
    Medication,
    Note,
    Observation,
    Procedure,
    Program,
    Reason,
)
from tools.domain.rules import Required, Rule
from tools.engine.criteria import CompiledComposite, CompiledCriterion, clause_of, compiled_criteria
from tools.evidence.context import STATUS_ONLY, EvaluationContext, LeafResult, span
from tools.evidence.courses import matches
from tools.messages import Action, Message, action, iso, message
from tools.rulebook import plain
from tools.terminology.matcher import matches as matches_in
from tools.terminology.matcher import words_of
from tools.terminology.medicines import resolve_medicine
from tools.terminology.observations import TESTS
from tools.terminology.vocabulary import studied_tests, vocabulary


def document(paper: Required, context: EvaluationContext) -> Finding:
    """The finding on one required document."""
    found = _on_file(paper, context)
    good = found.shown is True
    return Finding(
        criterion=paper.id,
        kind="document",
        status="met" if good else "unknown",
        text=paper.text or paper.id,
        asks=_asks(paper),
        clause=clause_of(paper, context.policy_id),
        evidence=found.records,
        found=found.found,
        reason=found.reason,
        action=None if good else found.action or _attach(paper),
    )


def _asks(paper: Required) -> Message | None:
    if "asks" not in paper.__dict__:
        paper.__dict__["asks"] = plain.asks(paper)
    known: Message | None = paper.__dict__["asks"]
    return known


def _attach(paper: Required) -> Action:
    """It stays with the paper. One that the rule names in its own words is called so."""
    known: Action | None = paper.__dict__.get("attach")
    if known is None:
        known = paper.__dict__["attach"] = _attached(paper)
    return known


def _attached(paper: Required) -> Action:
    named = _asks(paper)
    if named is None:
        return action("attach_named", paper=paper.text or paper.id)
    return action(
        "attach_record" if paper.of in ("fills", "programme") else "attach",
        paper=named,
        plain=plain.criterion(msgspec.structs.replace(paper, within=None)),
        window=span(paper.within) if paper.within is not None else None,
    )


def wanted_papers(rule: Rule, context: EvaluationContext) -> Iterator[Required]:
    """The documents that the case needs: those asked for in any case, and those of the branches that it relies on. Of
    several met branches it relies on one that is documented, so that no paper of another is asked for."""
    missing = {
        paper.for_criterion
        for paper in rule.documents
        if paper.for_criterion and not is_on_file(paper, context)
    }
    for paper in rule.documents:
        if not paper.for_criterion:
            yield paper
            continue
        criteria, exclusions = compiled_criteria(rule, context.request)
        if _relied_on(paper.for_criterion, (*criteria, *exclusions), context, missing):
            yield paper


def _relied_on(
    criterion: str, nodes: Iterable[CompiledCriterion], context: EvaluationContext, missing: AbstractSet[str]
) -> bool:
    """Whether the case stands on this criterion: it is met, and each composite above it has counted it."""
    for node in nodes:
        if node.criterion == criterion:
            return node.status(context) == "met"
        if criterion not in _names(node):
            continue
        met = [child for child in node.children if child.status(context) == "met"]
        met.sort(key=lambda child: not missing.isdisjoint(_names(child)))
        counted = met[: node.needed] if isinstance(node, CompiledComposite) else met
        return _relied_on(criterion, counted, context, missing)
    return False


@lru_cache(maxsize=4096)
def _names(node: CompiledCriterion) -> frozenset[str]:
    """The criterion and all its parts."""
    return frozenset((node.criterion, *(name for child in node.children for name in _names(child))))


def is_on_file(paper: Required, context: EvaluationContext) -> bool:
    """Does the chart have it?"""
    return _on_file(paper, context).shown is True


def asked_for(paper: Required) -> object:
    """What the paper asks, one object for all that ask the same; by it a context knows the answer."""
    asked = paper.__dict__.get("asked")
    if asked is None:
        asked = paper.__dict__["asked"] = _asked(paper.of, paper.test, paper.drugs, paper.within)
    return asked


def _on_file(paper: Required, context: EvaluationContext) -> LeafResult:
    """What the chart has of it. Many rules want the same papers, so the answer stays with the day."""
    asked = asked_for(paper)
    known = context.answers.get(asked)
    if known is None:
        known = context.answers[asked] = _look_up(paper, context)
    return known


@lru_cache(maxsize=4096)
def _asked(*what: object) -> object:
    """One object for all papers that ask the same."""
    return object()


class _Paper(NamedTuple):
    """A record that can be the document, and when it is from."""

    day: date | None
    record: Any


def _look_up(paper: Required, context: EvaluationContext) -> LeafResult:
    first = context.first(paper.within) if paper.within is not None else date.min
    found = _candidates(paper, context)
    past = [item for item in found if item.day is None or item.day <= context.as_of]
    fresh = [item for item in past if item.day is not None and item.day >= first]
    sound = [item for item in fresh if _flaw(paper, item.record) is None]
    good = [item for item in sound if item.record.id not in context.patient.typed]
    if context.status_only:
        return STATUS_ONLY[True if good else None]
    if sound and not good:
        return LeafResult(
            None, tuple(map(_as_evidence, _newest(sound))), message("document.typed"), "missing"
        )
    if good:
        shown = good if paper.of == "fills" else _newest(good)
        papers = any(isinstance(item.record, Document | Note) for item in shown)
        found_as = message("document.on_file") if papers else message("document.charted")
        return LeafResult(True, tuple(map(_as_evidence, shown)), found_as)
    if fresh:
        worst = _newest(fresh)
        flaw = _flaw(paper, worst[0].record) or "ambiguous"
        code, mend = _FLAWS[flaw]
        step = action(mend, paper=_asks(paper) or paper.text or paper.id) if mend else None
        return LeafResult(None, tuple(map(_as_evidence, worst)), message(code), flaw, step)
    done = [_Paper(item.date, item) for item in context.patient.procedures if _reports(item.name, paper.test)]
    if paper.of == "study" and done and not past:
        return LeafResult(
            None, tuple(map(_as_evidence, _newest(done))), message("document.no_report"), "missing"
        )
    if past:
        return LeafResult(None, tuple(map(_as_evidence, _newest(past))), message("document.too_old"), "stale")
    later = [item for item in found if item not in past]
    if later:
        found_later = message("document.later", day=iso(context.as_of))
        return LeafResult(None, tuple(map(_as_evidence, _newest(later))), found_later, "ambiguous")
    void = context.values(paper.test).rejected if paper.of == "lab" and paper.test in TESTS else ()
    if void:
        records = tuple([item.evidence for item in void])
        return LeafResult(None, records, message("document.void", why=void[0].evidence.note), void[0].reason)
    return LeafResult(None, (), message("document.missing"), "missing")


# What is said of a document that is none, and what mends it if not another one.
_FLAWS: dict[Reason, tuple[str, str]] = {
    "unsigned": ("document.unsigned", "sign"),
    "ambiguous": ("document.unclear", "state_about"),
    "missing": ("document.empty", ""),
}
_TELLS: dict[type, Callable[[Any], tuple[str, str]]] = {
    Document: lambda item: ("document", item.title),
    Note: lambda item: ("note", item.type),
    Fill: lambda item: ("fill", f"{item.drug}, {item.days_supply} days"),
    Program: lambda item: ("program", item.name or item.type),
    Procedure: lambda item: ("procedure", item.name),
    Medication: lambda item: ("medication", item.drug),
}


def _newest(papers: list[_Paper]) -> list[_Paper]:
    """The newest; a paper whose file is here comes before one that is only charted."""
    if not papers:
        return []
    return [max(papers, key=lambda item: (_is_kept(item.record), item.day or date.min))]


def _is_kept(record: Any) -> bool:
    return isinstance(record, Document) and record.pages > 0


def _as_evidence(paper: _Paper) -> Evidence:
    """The record as evidence of a document; what goes on is shown with the day on which it began."""
    item, day = paper.record, paper.day
    if isinstance(item, Program | Medication):
        day = item.end or item.start
    if isinstance(item, Observation):
        return Evidence(record_id=item.id, kind=item.test, value=item.value, unit=item.unit, date=day)
    kind, value = _TELLS[type(item)](item)
    status = getattr(item, "status", "") if isinstance(item, Note | Document) else ""
    note = "" if status == "signed" else status or "no status"
    return Evidence(
        record_id=item.id,
        kind=kind,
        value=value,
        date=day,
        note=note if isinstance(item, Note | Document) else "",
    )


def walk(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Findings and all their parts, outer first."""
    for finding in findings:
        yield finding
        yield from walk(finding.parts)


def _candidates(paper: Required, context: EvaluationContext) -> list[_Paper]:
    """The records that can be the document. A value that is no evidence is no report of one."""
    patient = context.patient
    found = [
        _Paper(item.date, item)
        for item in patient.documents
        if item.of == paper.of and not _is_of_another(paper, item)
    ]
    if paper.of == "note":
        found += [_Paper(note.date, note) for note in patient.notes]
    elif paper.of == "lab":
        values = context.values(paper.test).usable if paper.test in TESTS else ()
        found += [_Paper(value.date, value.seen[0]) for value in values if not value.derived]
    elif paper.of == "fills":
        fills = patient.fills
        found += [_Paper(f.date, f) for f in fills if not paper.drugs or matches(f, paper.drugs, (), f.drug)]
    elif paper.of == "programme":
        dated = [item for item in patient.programs if item.start and not item.reckoned]
        found += [_Paper(_last_day(item, item.end is None, context.as_of), item) for item in dated]
    elif paper.of == "medication":
        found += [
            _Paper(_last_day(entry, entry.end is None and entry.status == "active", context.as_of), entry)
            for entry in patient.medications or ()
            if matches(entry, paper.drugs, (), entry.drug)
        ]
    return found


def _flaw(paper: Required, record: Any) -> Reason | None:
    """Why it is none after all, if it is none."""
    if isinstance(record, Document):
        return _flaw_of_file(paper, record)
    return _flaw_of_note(record) if isinstance(record, Note) else None


def _flaw_of_note(note: Note) -> Reason | None:
    if not note.text.strip():
        return "missing"
    return "unsigned" if note.status != "signed" or _is_unsigned_by(note.text) else None


def _is_unsigned_by(text: str) -> bool:
    return not _says_of_itself(text).isdisjoint(("status:unsigned", "status:draft"))


@lru_cache(maxsize=4096)
def _says_of_itself(text: str) -> frozenset[str]:
    """Statuses in its first or last line, where notes say them of themselves."""
    lines = text.strip().splitlines()
    ends = [line for line in (*lines[:1], *lines[-1:]) if not _status_words().isdisjoint(words_of(line))]
    return frozenset([span.concept for line in ends for span in matches_in(line) if span.kind == "status"])


@cache
def _status_words() -> frozenset[str]:
    """A word of every name of a status: a line that has none of them tells none."""
    terms = vocabulary("document_statuses").values()
    names = [name for term in terms for name in (term.label, *term.names)]
    return frozenset([max(words_of(name), key=len) for name in names])


def _flaw_of_file(paper: Required, item: Document) -> Reason | None:
    signed = item.status == "signed" or "status:signed" in _says_of_itself(item.title)
    unsigned = item.status in ("unsigned", "draft", "amended") or _is_unsigned_by(item.title)
    if unsigned or (paper.of == "note" and not signed):
        return "unsigned"
    about = item.about or paper.test not in studied_tests() or _reports(item.title, paper.test)
    return None if about or paper.of != "study" else "ambiguous"


def _is_of_another(paper: Required, item: Document) -> bool:
    """A report of another test, or of another study, is none of this one."""
    if item.about and paper.drugs:
        about = resolve_medicine(item.about)
        known = {item.about.casefold(), *(about.ingredients if about else ())}
        wanted = {name for drug in paper.drugs for name in (drug, *_ingredients(drug))}
        return known.isdisjoint(wanted)
    if item.about:
        return bool(paper.test) and item.about != paper.test
    if paper.of != "study" or not paper.test:
        return False
    named = [span.kind for span in matches_in(item.title) if span.kind in ("procedure", "test")]
    return bool(named) and not _reports(item.title, paper.test)


def _ingredients(drug: str) -> tuple[str, ...]:
    known = resolve_medicine(drug)
    return known.ingredients if known else ()


def _reports(name: str, test: str) -> bool:
    """Does a study of this name report the test?"""
    return test in _tests_reported(name)


@lru_cache(maxsize=4096)
def _tests_reported(name: str) -> frozenset[str]:
    """The tests that a title names, and those that a study of this name measures."""
    spans = matches_in(name)
    studies = [vocabulary("procedures")[span.key].evidence_of for span in spans if span.kind == "procedure"]
    return frozenset(
        [span.key for span in spans if span.kind == "test"]
        + [evidence.removeprefix("test:") for evidence in studies if evidence.startswith("test:")]
    )


def _last_day(item: Program | Medication, ongoing: bool, as_of: date) -> date | None:
    """What has begun and goes on is of today."""
    begun = item.start is not None and item.start <= as_of
    if begun and (ongoing or (item.end is not None and item.end > as_of)):
        return as_of
    return item.end or item.start
