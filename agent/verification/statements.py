"""Codes, names, citations, conditions, outcomes and statuses against the ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.ledger import Fact
from agent.verification.codes import Code, normal
from agent.verification.courses import in_list
from agent.verification.drugs import DrugMention
from agent.verification.index import LedgerIndex, kinds_of
from agent.verification.names import CitedSource, NamedParty
from agent.verification.sentence import Sentence, SentencePart, blank
from agent.verification.text import word_list
from tools.language.assertion import assertion
from tools.language.stance import Word, ordinary_words, words
from tools.terminology.conditions import CONCEPTS
from tools.terminology.matcher import Span as Concept
from tools.terminology.matcher import matches
from tools.terminology.vocabulary import vocabulary

_PAYERS = frozenset(("approved", "denied", "guaranteed"))
_SYSTEMS = {"icd10": "ICD-10-CM code", "clause": "clause", "phone": "telephone number", "ndc": "NDC"}
_LABELS = ("npi", "member", "fax", "group")
_PUNCTUATION = dict.fromkeys(map(ord, "(),.;"))
_LINE_BEGINS = 3  # characters of a bullet or paragraph sign
_CITED = {"trial": "trial", "journal": "article", "society": "guideline"}


def check_statements(s: Sentence) -> None:
    """Everything of a sentence that is neither a number, a day nor a course."""
    for code in s.codes:
        _check_code(s, code)
    for cited in s.citations:
        _check_citation(s, cited)
    for name in s.names:
        _check_name(s, name)
    for condition in s.conditions:
        _check_condition(s, condition)
    for word in words(blank(s.bare, s.drugs), "outcome"):  # "a denial of DRUG is likely"
        _check_outcome(s, word)
    _check_states(s)
    _check_sex(s)
    _check_programs(s)


# --- codes -------------------------------------------------------------------------------------------------------


def _check_code(s: Sentence, code: Code) -> None:
    index, part = s.index, s.part(code)
    fact = next((index.codes[key] for key in _keys(code) if key in index.codes), None)
    if fact is None:
        numbered = code.system == "clause" and code.value.replace(".", "").isdigit()  # "item 3"
        if not numbered and not _state(s, code):
            what = _SYSTEMS.get(code.system, "code")
            s.wrong("code", code, f"{what} {code.value} is not in the chart, the plan or the policy")
        return
    s.support(fact.id)
    if code.system == "icd10":
        _check_diagnosis_code(s, code, fact, part)
    elif code.system in ("number", "phone", "id"):
        _check_label(s, code, fact)


def _keys(code: Code) -> tuple[str, ...]:
    clause = normal(code.value, "clause")
    return code.value, clause, clause.strip("()"), f"({clause.strip('()')})"


def _check_diagnosis_code(s: Sentence, code: Code, fact: Fact, part: SentencePart) -> None:
    """A code of the policy is none of the chart, and "NAME (CODE)" is the name of that code."""
    index = s.index
    if fact.attribute != "diagnosis":
        charted = any(d.code.startswith(code.value) for d in index.diagnoses)
        if not charted and part.asserts and not s.supposed:
            s.wrong("code", code, f"{code.value} stands in the policy, not in the chart")
        return
    own = next((d for d in index.diagnoses if d.code == code.value), None)
    ahead = [c for c in s.conditions if c.end <= code.start and part.holds(c)]
    if own is None or not ahead or re.search(r"[;,)]\s*\w|\band\b", s.gap(ahead[-1], code)):
        return
    last = ahead[-1]
    said = {c.key for c in ahead if c[:2] == last[:2]}
    if not any(kinds_of(key) & own.keys for key in said) and s.low[last.start : last.end] not in own.name:
        s.wrong("attribute", code, f"{code.value} is {own.name}")


def _check_label(s: Sentence, code: Code, fact: Fact) -> None:
    """ "NPI", "member ID", "fax" before a number say which one it is."""
    before = s.low[max(0, code.start - 16) : code.start].replace(":", " ").split()
    label = next((label for label in _LABELS if label in before), "")
    mine = [f for f in s.index.by_attribute[label] if f.kind == "code"] if label else []
    if (
        mine
        and fact.attribute != label
        and normal(code.value, "number") not in (normal(str(f.value), "number") for f in mine)
    ):
        s.wrong("attribute", code, f"that is the {fact.attribute} of the record, not its {label}")


# --- citations and names ---------------------------------------------------------------------------------------


def _check_citation(s: Sentence, cited: CitedSource) -> None:
    for source, text in s.index.cited.items():
        if _cites(s, cited, text):
            s.support(s.index.by_source[source][0].id)
            return
    named = cited.kind == "society" and not cited.year and not cited.section
    if not (named and any(s.low[cited.start : cited.end] in quote for quote, _ in s.index.quotes)):
        s.wrong("citation", cited, f"no such {_CITED[cited.kind]} is among the evidence for this case")


def _cites(s: Sentence, cited: CitedSource, text: str) -> bool:
    if cited.kind == "trial":
        return bool(re.search(rf"(?<![\w-]){re.escape(cited.value)}(?![\w-])(?! \d)", text))
    if cited.kind == "journal":
        return _bare(cited.value) in _bare(text)
    society = any(word.key == cited.value for word in words(text, "society"))
    section = not cited.section or f"section {cited.section}" in text.lower()
    return society and section and cited.year in text


def _bare(text: str) -> str:
    return "".join(text.lower().translate(_PUNCTUATION).split())


def _check_name(s: Sentence, name: NamedParty) -> None:
    """Every word of a name is in one name of the record; words of no record are a name only where they look like it."""
    index = s.index
    said = [w for word in name.words for w in word_list(word) if len(w) > 1]
    proper = [w for w in said if w in index.name_words or w not in ordinary_words() or name.role == "person"]
    records = index.names if name.role == "organisation" else (*index.names, *index.addresses)
    fact = next((f for words, f in records if all(_known(w, words) for w in proper)), None)
    quoted = name.role == "organisation" and any(" ".join(said) in quote for quote, _ in index.quotes)
    if not proper or quoted or fact:
        s.support(*([fact] if fact else []))
    elif name.role != "name" or _looks_named(s, name):
        what = "organisation" if name.role == "organisation" else "name"
        s.wrong("name", name, f"this {what} is not in the chart or the plan")


def _known(word: str, words: frozenset[str]) -> bool:
    return word in words or f"{word}s" in words or word.rstrip("s") in words


def _looks_named(s: Sentence, name: NamedParty) -> bool:
    """Capitalised words without a title are a name if they stand in a sentence or alone, not in a heading."""
    words = re.findall(r"[A-Za-z]{3,}", s.text)
    closed = s.text.rstrip()[-1:] in ".;!?"
    heading = not closed and len(words) > 3 and sum(w[0].isupper() for w in words) > 0.6 * len(words)
    alone = name.end - name.start >= len(s.text.strip(" .:")) - 4
    born = s.text[name.end :].startswith(", born")
    label = s.text[name.end : name.end + 1] == ":"
    drug = any(s.index.lexicon.made_of(word.casefold()) for word in name.words)
    return len(name.words) < 4 and not label and not drug and (not heading or alone or born)


# --- conditions ------------------------------------------------------------------------------------------------------


def _check_condition(s: Sentence, condition: Concept) -> None:
    """Present, absent, or somebody else's, as the sentence says it."""
    part, index = s.part(condition), s.index
    if s.supposed or not part.of_patient or _is_use(s, condition, part):
        return
    others = [c[:2] for c in s.conditions if c[:2] != condition[:2]]
    meant = assertion(s.bare, condition.start, condition.end, others)
    denied = meant.sense in ("negated", "never") or s.denied(condition, 4)
    label = CONCEPTS[condition.key].label if condition.key in CONCEPTS else condition.key
    if meant.subject == "other" or meant.sense in ("planned", "void"):
        return
    charted = bool(index.diagnosed(condition.key)) or index.condition(condition.key) == "present"
    if meant.subject == "family":
        _check_family(s, condition, part, denied, label, charted)
    elif denied:
        if (
            charted
            and "open" not in part.voices
            and not _is_denied_by_name(s, condition)
            and not (condition.key == "overweight" and index.condition("obesity") == "present")
        ):
            s.wrong("negation", condition, f"the chart has {label}")
    elif (
        not charted and "open" not in part.voices and index.condition(condition.key) in ("absent", "unknown")
    ):
        words = s.low[condition.start : condition.end]
        if not any(words in d.name for d in index.diagnoses):
            s.wrong("negation", condition, f"the chart has no {label}")


def _is_denied_by_name(s: Sentence, condition: Concept) -> bool:
    """Does a name of the chart deny it itself, as "diabetes with retinopathy without macular edema" does?"""
    names = (k for k in s.known if k.start <= condition.start and condition.end <= k.end)
    return any(
        assertion(s.bare[k.start : k.end], condition.start - k.start, condition.end - k.start, []).sense
        == "negated"
        for k in names
    )


def _is_use(s: Sentence, condition: Concept, part: SentencePart) -> bool:
    """ "for type 2 diabetes" names a use, and no patient, where something is asked for or decided."""
    before = s.low[max(part.start, condition.start - 60) : condition.start].split()
    asked = "request" in part.voices or bool(s.words("outcome"))
    return before[-1:] == ["for"] or (asked and "for" in before[-6:]) or before[-2:] == ["risk", "of"]


def _check_family(
    s: Sentence, condition: Concept, part: SentencePart, denied: bool, label: str, charted: bool
) -> None:
    index = s.index
    topic = CONCEPTS[condition.key].topic if condition.key in CONCEPTS else ""
    hits = {}
    for fact in index.by_attribute["family"]:
        relation, _, what = str(fact.value).lower().partition(":")
        if {span.key for span in matches(what)} & kinds_of(condition.key):
            hits[relation] = fact.id
    relations = [name for term in vocabulary("relations").values() for name in term.names]
    said = next((w for w in word_list(s.text[part.start : part.end]) if w in relations), "")
    if denied:
        stated = index.status.get(f"stated:{topic}:family", "")
        if hits:
            s.wrong("negation", condition, f"family history: {', '.join(hits)}")
        elif "personal" in _words(s, part) and charted:
            s.wrong("negation", condition, f"the chart has {label}")
        elif topic and stated != "absent":
            s.wrong("negation", condition, f"the chart does not state that the family has no {label}")
    elif not hits and not part.voices & {"open", "policy"}:
        s.wrong("negation", condition, "not in the family history")
    elif hits and said and said != "parent" and said not in hits:
        s.wrong("attribute", condition, f"family history: {', '.join(hits)}")
    else:
        s.support(*hits.values())


def _words(s: Sentence, part: SentencePart) -> list[str]:
    return word_list(s.text[part.start : part.end])


# --- what the engine said -----------------------------------------------------------------------


def _check_outcome(s: Sentence, word: Word) -> None:
    part = s.part(word)
    counted = any(w.isdigit() for w in s.low[: word.start].split()[-2:])
    a_condition = word.key == "denied" and not s.drugs and bool(s.conditions)
    of_a_label = word.key in ("approved", "denied") and "general" in part.voices
    asked = word.key in ("approved", "would_be_approved") and "request" in part.voices
    if counted or a_condition or of_a_label or (asked and "please" in _words(s, part)):
        return
    drugs = _drugs_of(s, word, part)
    wrong = [drug for drug in drugs if not _agrees(s, word, drug)]
    if wrong and (s.drugs or len(wrong) == len(drugs)):
        known = (
            f"{d}: {' or '.join(sorted(s.index.outcomes.get(d, ()))) or 'not determined'}" for d in wrong
        )
        s.wrong("status", word, f"the determination says otherwise ({', '.join(known)})".replace("_", " "))


def _drugs_of(s: Sentence, word: Word, part: SentencePart) -> list[str]:
    """The drugs that an outcome is said of: those listed before it, else behind it; else what all is about."""
    named = [(drug, name) for drug in s.drugs if (name := _judged(s.index, drug))]
    here = [one for one in named if part.holds(one[0])]
    chosen = [one for one in here if one[0].end <= word.start][::-1] or here
    if not chosen:
        return [name for _, name in named[:1]] or sorted(s.index.main)
    listed = in_list(s, [drug for drug, _ in chosen])
    return [name for drug, name in chosen if drug in listed]


def _judged(index: LedgerIndex, drug: DrugMention) -> str:
    """The name under which the drug was determined; that of its brand, if there is one or one is asked about."""
    if drug.name in index.determined:
        return drug.name
    brands = [d for d in sorted(index.determined) if set(index.lexicon.made_of(d)) & set(drug.ingredients)]
    return next((d for d in brands if d in index.main), brands[0] if len(brands) == 1 else "")


def _agrees(s: Sentence, word: Word, drug: str) -> bool:
    """Does the determination of the drug bear the word out?"""
    index, what, denied = s.index, word.key, s.denied(word)
    outcomes = set(index.outcomes.get(drug, ()))
    s.support(*index.outcomes.get(drug, {}).values())
    if what in _PAYERS:  # no determination says what a payer has done
        return denied or (what == "approved" and drug in index.granted)
    if s.supposed:
        if drug not in index.supposed_outcomes:
            return True
        outcomes |= set(index.supposed_outcomes[drug])
    covered = index.status.get(f"covered:{drug}", "no" if "not_covered" in outcomes else "yes") == "yes"
    required = index.status.get(f"pa:{drug}", "no" if "not_required" in outcomes else "yes") == "yes"
    complete = bool(outcomes & {"ready", "quantity_exception"})
    favourable = bool(outcomes & {"ready", "not_required"})
    so = {
        "would_be_approved": favourable,
        "eligible": favourable,
        "ineligible": not favourable,
        "covered": covered,
        "not_covered": not covered,
        "required": required,
        "not_required": covered and not required,
        "needs_documentation": "ready" not in outcomes
        or any("unknown" in some for some in index.states.values()),
        "all_met": complete,
        "criteria_met": complete or _criteria_met(s, drug),
    }.get(what, what in outcomes)
    return so != denied


def _criteria_met(s: Sentence, drug: str) -> bool:
    """The criteria, leaving exclusions aside."""
    counts = {
        fact.attribute: fact.value
        for source, facts in s.index.by_source.items()
        for fact in facts
        if fact.kind == "count" and source.lower().endswith(f"/{drug}/criteria")
    }
    return bool(counts.get("met findings")) and not (
        counts.get("not_met findings") or counts.get("unknown findings")
    )


def _check_states(s: Sentence) -> None:
    """Criteria by their clause: met, not met, unknown."""
    every = s.words("status")
    for code in s.codes if not s.supposed else ():
        part = s.part(code)
        near = [word for word in every if part.holds(word)] or (every if len(s.codes) == 1 else [])
        if near and (known := _state(s, code)):
            _check_state(s, min(near, key=lambda w: abs(w.start - code.start)), known, code.value)


def check_line_of_clause(s: Sentence, below: Sequence[Sentence]) -> None:
    """ "- Not met on the record: …" is said of the clause with which the next line begins."""
    first = next(iter(s.words("status")), None)
    if first is None or first.start > _LINE_BEGINS or any(_state(s, code) for code in s.codes):
        return
    line = next((one for one in below if not one.text.startswith("[")), None)
    clause = next((code for code in line.codes if code.start < _LINE_BEGINS), None) if line else None
    if clause and (known := _state(s, clause)):
        _check_state(s, first, known, clause.value)


def _state(s: Sentence, code: Code) -> dict[str, str]:
    states = s.index.states
    return states.get(code.value) or states.get(normal(code.value, "clause")) or {}


def _check_state(s: Sentence, word: Word, known: dict[str, str], clause: str) -> None:
    said = "not_met" if word.key == "met" and s.denied(word, 3) else word.key
    if said in known:
        s.support(*known.values())
    else:
        s.wrong("status", word, f"{clause} is {' or '.join(sorted(known))}".replace("_", " "))


# --- the rest -----------------------------------------------------------------------------------


def _check_sex(s: Sentence) -> None:
    """ "A 56-year-old man"."""
    aged = [q for q in s.quantities if q.dimension == "age"]
    for word in s.words("sex"):
        part = s.part(word)
        if part.of_patient and any(map(part.holds, aged)) and s.index.sex in {"male", "female"} - {word.key}:
            s.wrong("attribute", word, f"the patient is {s.index.sex}")


def _check_programs(s: Sentence) -> None:
    charted, every = bool(s.index.by_attribute["program"]), s.words("of")
    for word in (word for word in every if word.key == "program"):
        part = s.part(word)
        verb = next((w for w in every if w.key == "attended" and part.holds(w)), None)
        if verb and part.asserts and not s.supposed and s.denied(verb) == charted:
            s.wrong("negation", word, f"the chart has {'a' if charted else 'no such'} program")
