"""The leaf that rests on diagnoses, family history and what the chart states or denies."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from datetime import date
from functools import lru_cache

from tools.domain.records import Attestation, Diagnosis, Evidence, FamilyHistory
from tools.domain.rules import Condition, Degree, Period, Who
from tools.evidence.context import STATUS_ONLY, EvaluationContext, LeafResult, Term, as_stated, span, term_of
from tools.messages import Action, Message, action, iso, message
from tools.terminology.vocabulary import term_of_name

_Record = Diagnosis | FamilyHistory | Attestation
_Told = tuple[tuple[Who, _Record], ...]  # of whom, and by what


def condition(leaf: Condition, context: EvaluationContext, exclude: bool) -> LeafResult:
    """Proven, denied, hinted at, or silent; the rule says whether the record's silence is enough, and how long what is
    proven must have stood."""
    if leaf.min_duration is None:
        return _present(leaf, context, exclude)
    answer = _present(leaf, context, exclude)
    return _has_stood(leaf, leaf.min_duration, context, answer) if answer.shown else answer


def _has_stood(leaf: Condition, least: Period, context: EvaluationContext, answer: LeafResult) -> LeafResult:
    """Since its earliest onset; of what has none on record, or is only stated, nobody knows since when."""
    proof, _ = _matching(leaf, context)
    entries = [record for _, record in proof if isinstance(record, Diagnosis)]
    onsets = [entry.onset for entry in entries if entry.onset is not None]
    due = min((least.after(onset) for onset in onsets), default=None)
    stood = due is not None and due <= context.as_of
    if not stood and (due is None or len(onsets) < len(entries)):
        if context.status_only:
            return STATUS_ONLY[None]
        unknown = message("condition.since_unknown", found=answer.found)
        return LeafResult(
            None, answer.records, unknown, "missing", action("record_onset", condition=leaf.label)
        )
    if context.status_only:
        return STATUS_ONLY[stood]
    since = message("condition.since", found=answer.found, day=iso(min(onsets)))
    later = answer.action
    if not stood:
        later = action("wait_until", condition=leaf.label, least=span(least), day=iso(due))
    return LeafResult(stood, answer.records, since, None, later)


def _present(leaf: Condition, context: EvaluationContext, exclude: bool) -> LeafResult:
    patient = context.patient
    if leaf.sex is not None and patient.sex not in (leaf.sex, "unknown"):
        if context.status_only:
            return STATUS_ONLY[False]
        seen = Evidence(record_id="patient", kind="sex", value=patient.sex)
        found = message("condition.other_sex", sex=patient.sex)
        return LeafResult(False, (seen,), found, None, _code_it(leaf))
    proof, hints = _matching(leaf, context)
    denied: dict[Who, Attestation] = {}
    for who, items in context.said(leaf.topic).items() if leaf.topic else ():
        if who not in leaf.who:
            continue
        for item in items:
            if item.present:
                proof += ((who, item),)
            else:
                denied[who] = item
    if proof or hints:
        answer = _told(leaf, context, proof, hints, denied, exclude)
        if answer is not None:
            return answer
    if len(denied) == len(leaf.who):
        return STATUS_ONLY[False] if context.status_only else _denied(leaf, exclude, _seen(denied.values()))
    return _silence(leaf, context, exclude, denied)


def _denied(leaf: Condition, exclude: bool, seen: tuple[Evidence, ...]) -> LeafResult:
    found, step = _told_of_denial(leaf.label)
    return LeafResult(False, seen, found, None, None if exclude else step)


@lru_cache(maxsize=4096)
def _told_of_denial(label: str) -> tuple[Message, Action]:
    return message("condition.denied", condition=label), action("code_diagnosis", condition=label)


def _told(
    leaf: Condition,
    context: EvaluationContext,
    proof: _Told,
    hints: _Told,
    denied: dict[Who, Attestation],
    exclude: bool,
) -> LeafResult | None:
    """Of each person by itself: one who is shown to have it is enough, whatever another denies; a denial contradicts
    what proves the same person's, and settles what only hints at it."""
    if context.status_only:
        unsaid = [who for who, _ in proof or hints if who not in denied]
        return STATUS_ONLY[True if proof and unsaid else None] if proof or unsaid else None
    sure = _of_others(_by_code_first(leaf, proof), denied)
    if sure:
        step = action("excluded_by", condition=leaf.label) if exclude else None
        found = message("condition.shown", condition=leaf.label, records=_names(sure))
        if {item.kind for item in sure} == {"attestation"}:
            found = message("condition.stated", condition=leaf.label)
        return LeafResult(True, sure, found, None, step)
    if proof:
        return LeafResult(
            None,
            _seen([*[record for _, record in proof], *[denied[who] for who, _ in proof]]),
            message("condition.conflict", condition=leaf.label),
            "conflict",
            action("ask_which", condition=leaf.label),
        )
    unsure = _of_others(hints, denied)
    if not unsure:
        return None
    later = [item for item in unsure if item.kind == "diagnosis" and item.date and item.date > context.as_of]
    if later:
        records, day = _names(later), later[0].date
        found = message("condition.later", records=records, day=iso(day), as_of=iso(context.as_of))
        return LeafResult(
            None, unsure, found, "ambiguous", action("correct_date", records=records, day=iso(day))
        )
    hint = {"records": _names(unsure), "condition": leaf.label}
    found = message("condition.not_settled", **hint)
    silent = (
        tuple([who for who in leaf.who if who not in denied])
        if exclude and leaf.evidence == "attestation"
        else ()
    )
    return LeafResult(None, unsure, found, "ambiguous", action("ask_whether_this", **hint, who=silent))


def _by_code_first(leaf: Condition, told: _Told) -> _Told:
    """What a code of the policy's shows ahead of what only a name does, for the first is what a reader is shown."""
    return told if len(told) < 2 else tuple(sorted(told, key=lambda one: not _has_code(leaf, one[1])))


def _has_code(leaf: Condition, record: _Record) -> bool:
    return not isinstance(record, Attestation) and bool(record.code) and record.code.startswith(leaf.codes)


def _of_others(told: _Told, denied: Container[Who]) -> tuple[Evidence, ...]:
    """What is told of those of whom nothing is denied."""
    return _seen([record for who, record in told if who not in denied])


def _seen(records: Iterable[_Record]) -> tuple[Evidence, ...]:
    """Each record as evidence, once."""
    seen = [_as_evidence(record) for record in records]
    return tuple(seen) if len(seen) < 2 else tuple(dict.fromkeys(seen))


def _as_evidence(record: _Record) -> Evidence:
    if isinstance(record, Diagnosis):
        return _diagnosis(record)
    return _relative(record) if isinstance(record, FamilyHistory) else as_stated(record)


def _silence(
    leaf: Condition, context: EvaluationContext, exclude: bool, denied: Container[Who]
) -> LeafResult:
    if exclude and leaf.evidence == "attestation":
        return _unsaid(leaf.label, tuple([who for who in leaf.who if who not in denied]))
    if context.patient.conditions is None:
        found = message("list.missing", list="conditions")
        return LeafResult(None, (), found, "missing", action("obtain_list", list="conditions"))
    return _unlisted(leaf.label, exclude)


@lru_cache(maxsize=4096)
def _unsaid(label: str, silent: tuple[Who, ...]) -> LeafResult:
    asked = {"who": silent, "condition": label}
    return LeafResult(
        None, (), message("condition.unsaid", **asked), "missing", action("ask_whether", **asked)
    )


@lru_cache(maxsize=4096)
def _unlisted(label: str, exclude: bool) -> LeafResult:
    absent = f"not on the problem list: {label}"
    seen = (Evidence(record_id="conditions", kind="diagnosis", value=absent),)
    step = None if exclude else action("code_diagnosis", condition=label)
    return LeafResult(False, seen, message("condition.unlisted", condition=label), None, step)


def _code_it(leaf: Condition) -> Action:
    return action("code_diagnosis", condition=leaf.label)


def _matching(leaf: Condition, context: EvaluationContext) -> tuple[_Told, _Told]:
    """Entries that prove it, and entries that only hint at it."""
    proof: _Told = ()
    hints: _Told = ()
    unlike: set[Term] = leaf.__dict__.get("unlike") or leaf.__dict__.setdefault("unlike", set())
    for entry, term in () if context.terms() <= unlike else context.problems():
        if term in unlike:
            continue
        kind = kind_of_match(leaf, term.code, term.name)
        if not kind:
            _remember(unlike, term)
        elif term.subject in leaf.who:
            verdict = _counts(leaf, entry, context.as_of)
            if verdict is not None:
                if verdict and kind == "proves" and term.subject == "self":
                    proof += (("self", entry),)
                else:
                    hints += ((term.subject, entry),)
    if "family" in leaf.who:
        for relative in context.patient.family_history:
            term = term_of(relative.code, relative.condition)
            if term in unlike:
                continue
            kind = kind_of_match(leaf, term.code, term.name)
            related = _is_related(relative, leaf.degree)
            if not kind:
                _remember(unlike, term)
            elif related is False:
                continue
            elif kind == "proves" and related:
                proof += (("family", relative),)
            else:
                hints += (("family", relative),)
    return proof, hints


def _is_related(relative: FamilyHistory, degree: Degree | None) -> bool | None:
    """Is the relative of this degree or nearer, or of the family at all? None where the word for the relation does not
    tell."""
    relation = term_of_name("relations", relative.relation)
    if relation is not None and relation.key == "none":
        return False
    if degree is None:
        return True
    return None if relation is None else relation.key == "first" or relation.key == degree


def _remember(unlike: set[Term], term: Term) -> None:
    """Most of what charts list is nothing to a condition, and they write the same again and again."""
    if len(unlike) >= _REMEMBERED:
        unlike.clear()
    unlike.add(term)


_REMEMBERED = 65536


def kind_of_match(leaf: Condition, code: str, name: str) -> str:
    """It "proves" the condition, "hints" at it, or is something else (""); `name` in lower case."""
    if code and leaf.codes and code.startswith(leaf.codes):
        return "proves"
    words = _words(leaf)
    if name and _mentions(name, words) and not denies(name, words):
        return "proves"
    if not leaf.suggests and not leaf.suggest_phrases:
        return ""
    if _mentions(name, leaf.not_phrases):
        return ""
    if code and leaf.suggests and code.startswith(leaf.suggests):
        return "hints"
    if not _mentions(name, leaf.suggest_phrases) or denies(name, leaf.suggest_phrases):
        return ""
    return "hints"


def _words(leaf: Condition) -> tuple[str, ...]:
    """The words that prove it: the rule's own name for it, and others that charts have for it."""
    kept: tuple[str, ...] | None = leaf.__dict__.get("words")
    if kept is None:
        kept = leaf.__dict__["words"] = tuple(filter(None, (*leaf.phrases, leaf.label.casefold())))
    return kept


def _mentions(name: str, phrases: tuple[str, ...]) -> bool:
    for phrase in phrases:  # noqa: SIM110 - a generator costs more than the search
        if phrase in name:
            return True
    return False


_DENIAL = re.compile(
    r"\b(?:no|not|non|denies|denied|without|negative for|excluded|ruled out)[\s-]+(?:[^\s.;]+\s+){0,4}?$"
)


def denies(name: str, phrases: tuple[str, ...]) -> bool:
    """Whatever of it the words name, they say that it is not so: "no medullary thyroid carcinoma"."""
    named = [phrase for phrase in phrases if phrase in name]
    return all(_DENIAL.search(name[: name.index(phrase)]) for phrase in named)


def _counts(leaf: Condition, entry: Diagnosis, as_of: date) -> bool | None:
    """True: counts fully; False: only as a hint (provisional, of unknown date, or of one to come); None: not at
    all."""
    if entry.onset is not None and entry.onset > as_of:
        return False
    if leaf.status == "active" and entry.abated is not None and entry.abated <= as_of:
        return None
    if leaf.within is not None:
        if entry.onset is None:
            return False
        if entry.onset < leaf.within.before(as_of):
            return None
    return entry.verification == "confirmed"


def _diagnosis(entry: Diagnosis) -> Evidence:
    note = "" if entry.verification == "confirmed" else entry.verification
    value = f"{entry.code} {entry.name}".strip()
    return Evidence(record_id=entry.id, kind="diagnosis", value=value, date=entry.onset, note=note)


def _relative(entry: FamilyHistory) -> Evidence:
    value = f"{entry.relation}: {entry.condition} {entry.code}".strip()
    return Evidence(record_id=entry.id, kind="family_history", value=value)


def _names(records: Iterable[Evidence]) -> tuple[str, ...]:
    return tuple([str(record.value) for record in records])
