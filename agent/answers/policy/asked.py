"""What a question is about: the sections that it names, and its subjects with the clauses that are about them."""

from __future__ import annotations

from agent.answers.policy.contents import Contents
from agent.answers.policy.phrases import (
    ALLERGY,
    AROUND,
    BY_KIND,
    FOR_A_USE,
    SECTIONS,
    STEP,
    STOMACH,
    TOGETHER,
    WORD,
    Section,
    compiled,
    stem,
)
from agent.answers.policy.subjects import CLASS_WORDS, GENERIC, SUBJECTS, USE_WORDS, USES, Subject
from tools.records import Benefit
from tools.rules import Part
from tools.terminology.matcher import medicines_in
from tools.terminology.medicines import medicine


def sections_named(asked: str) -> list[Section]:
    return [name for name, words in SECTIONS if compiled(words).search(asked)]


def subjects_of(asked: str, held: Contents) -> list[tuple[str, frozenset[str]]]:
    """What the question is about, each with the clauses that are about it; one without is a subject the policy
    lacks."""
    parts = [entry.part for entry in held.printed.values()]
    found = [
        (subject.name, _about(subject, parts))
        for subject in SUBJECTS
        if compiled(subject.words).search(asked)
    ]
    kinds = _kinds_of_medicine(asked)
    for name, ingredients, classes in _medicines(asked):
        ids = [p.clause_id for p in parts if tag(p) in kinds and _takes(p, ingredients, classes)]
        found.append((name, frozenset(ids)))
    if not found:
        for words, kind, name in BY_KIND:
            ids = [p.clause_id for p in parts if tag(p) == kind]
            if words.search(asked) and not (kind == "trial" and "appeal" in sections_named(asked)):
                found.append((name, frozenset(ids)))
                break
    if not found and not any(
        name in ("authorization", "quantity", "appeal") for name in sections_named(asked)
    ):
        found = _by_label(asked, parts)
    return found


def meant_of(
    subjects: list[tuple[str, frozenset[str]]],
    asked: str,
    sections: list[Section],
    benefit: Benefit,
    held: Contents,
    indication: str,
) -> tuple[list[tuple[str, frozenset[str]]], str]:
    """Without what is only named beside: the use that the drug is for, the step that something else is a way around."""
    subjects = [one for one in subjects if one[0] not in GENERIC] or subjects
    uses = {rule.indication for rule in benefit.rules}
    named = next(
        (use for use, words in USE_WORDS.items() if use in uses and compiled(words).search(asked)), ""
    )
    beside = [name for name, _ in subjects if USES.get(name) in uses]
    rest = [(name, ids) for name, ids in subjects if name not in beside]
    if beside and ((any(ids for _, ids in rest) and len(uses) > 1) or FOR_A_USE.intersection(sections)):
        subjects = rest
    if AROUND.search(asked):
        ways = [
            (name, ids)
            for name, ids in subjects
            if any(tag(held.printed[one].part) in ("condition", "lab") for one in ids)
        ]
        subjects = ways or subjects
    return subjects, indication or named


def _about(subject: Subject, parts: list[Part]) -> frozenset[str]:
    """The clauses about it: those that name the first of its alternatives that any names."""
    for has in subject.has.split(";"):
        ids = frozenset(part.clause_id for part in parts if _is_about(part, subject, has))
        if ids:
            return ids
    return frozenset()


def _is_about(part: Part, subject: Subject, has: str) -> bool:
    kinds = {tag(part), f"{tag(part)}:{getattr(part, 'of', '')}"}
    return bool(kinds.intersection(subject.kinds)) and any(one in _named(part) for one in has.split("|"))


def tag(part: Part) -> str:
    return str(type(part).__struct_config__.tag)


def _named(part: Part) -> str:
    """What a criterion names, in lower case."""
    values = (getattr(part, name, "") for name in _NAMES)
    return " ".join(value if isinstance(value, str) else " ".join(value) for value in values).casefold()


_NAMES = (
    "label",
    "test",
    "tests",
    "topic",
    "statement",
    "drugs",
    "classes",
    "specialties",
    "programme",
    "uses",
    "of",
)


def _medicines(asked: str) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """The other drugs and classes that the question names: how it names them, what they are made of, their classes."""
    found = []
    for name in dict.fromkeys(asked[span.start : span.end].casefold() for span in medicines_in(asked)):
        made = medicine(name)
        found.append((name, frozenset((name, *made.ingredients)), frozenset(made.classes)))
    for key, words in CLASS_WORDS.items():
        match = compiled(words).search(asked)
        if match and not any(key in classes for _, _, classes in found):
            found.append((match[0], frozenset(), frozenset((key,))))
    return found


def _takes(part: Part, ingredients: frozenset[str], classes: frozenset[str]) -> bool:
    """Does the criterion name this drug, or its class? A class that is named alone is also met by its drugs."""
    drugs = {name.casefold() for name in getattr(part, "drugs", ())}
    its = {*getattr(part, "classes", ())}
    if not ingredients:
        its.update(one for name in drugs for one in medicine(name).classes)
    return bool(drugs & ingredients) or bool(its & classes)


def _kinds_of_medicine(asked: str) -> tuple[str, ...]:
    """Which kinds of criteria a question about another drug is about."""
    if ALLERGY.search(asked):
        return ("allergy",)
    if STOMACH.search(asked):
        return ("intolerance",)
    if STEP.search(asked):
        return ("trial", "intolerance", "document")
    if TOGETHER.search(asked):
        return ("taking",)
    return ("trial", "intolerance", "allergy", "taking", "document")


def _by_label(asked: str, parts: list[Part]) -> list[tuple[str, frozenset[str]]]:
    """Conditions and statements of the policy's own that no list here knows, by the long words of their labels."""
    words = {stem(word) for word in WORD.findall(asked) if len(word) > 5} - _COMMON
    found = []
    for part in parts:
        if tag(part) not in ("condition", "attested", "use"):
            continue
        label = getattr(part, "label", "") or getattr(part, "statement", "")
        own = {stem(word) for word in WORD.findall(label.casefold()) if len(word) > 5} - _COMMON
        if own & words:
            found.append((label, frozenset((part.clause_id,))))
    return found


_COMMON = frozenset(
    """weight diseas manag manage chron diabet prescrib takes tak docum covered patient's histor syndrom
    patient condition therap another requir""".split()  # noqa: SIM905
)
