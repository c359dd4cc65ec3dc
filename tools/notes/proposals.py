"""The gate for facts that somebody else proposes, a model say: code places the quote, and code judges its context.

A proposal names a kind, a topic and a quote. Whose it is, whether it is denied, hedged or only planned is never
taken from it. Where the reader itself says something of that topic in that sentence, the reader is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.domain.records import Note
from tools.notes.context import INSTRUCTION, context, subjects_of
from tools.notes.facts import OF_A_DRUG, FactKind, NoteFact, accept
from tools.notes.lexicon import Mention, diagnoses_in, drugs_in
from tools.notes.passages import Sentence, sentences
from tools.notes.plain import Plain, plain_of
from tools.notes.reader import read_note

# Of what is said after one of these nothing is taken from a proposal, whatever it is called.
_UNSURE = re.compile(
    r"\b(?:no|not|never|denies|denied|without|n't|if|unless|should|would|could|will|may|might|plan\w*|"
    r"consider\w*|"
    r"start|begin|add|order\w*|recommend\w*|discuss\w*|wants?|declin\w*|refus\w*|possibl\w+|probabl\w+|"
    r"likely|suspect\w*|"
    r"r/o|rule out|counsel\w*|asks?|asked|goal|target|interested|once|pending|risk)\b|\?",
    re.IGNORECASE,
)


def admit(note: Note, kind: FactKind, of: str, quote: str) -> NoteFact | None:
    """The fact, if its quote stands in the note and names its topic, and code sees nothing that speaks against it."""
    at = note.text.find(quote) if quote.strip() else -1
    if at == -1:
        return None
    plain = plain_of(note.text)
    here = _sentence(plain, sentences(plain.text), at, at + len(quote))
    if here is None or INSTRUCTION.search(plain.text, here.start, here.end):
        return None
    begin, end = plain.span(here.start, here.end)
    if any(fact.of == of and begin <= fact.start < end for fact in read_note(note)):
        return None
    mention = _mention(plain.text, here, kind, of)
    if mention is None or not at <= plain.span(mention.start, mention.end)[0] < at + len(quote):
        return None
    seen = context(plain.text, here, mention.start, mention.end)
    subjects = subjects_of(plain.text, here, mention.start, mention.end)
    if not seen.present or seen.hedged or seen.supposed or subjects != ("self",):
        return None
    if _UNSURE.search(plain.text, here.start, here.end) or here.section in ("family", "plan", "copied"):
        return None
    fact = NoteFact(
        kind=kind, of=of, quote=quote, start=at, end=at + len(quote),
        status="history" if kind in OF_A_DRUG - {"taking", "effective"} else "current",
        drug=plain.text[mention.start : mention.end] if kind in OF_A_DRUG else "",
        detail="other" if kind == "intolerance" else "",
    )  # fmt: skip
    return accept(fact, note)


def _sentence(plain: Plain, all_of_them: Sequence[Sentence], start: int, end: int) -> Sentence | None:
    """The one sentence in which the quote stands as a whole."""
    for sentence in all_of_them:
        begin, stop = plain.span(sentence.start, sentence.end)
        if begin <= start and end <= stop:
            return sentence
    return None


def _mention(text: str, sentence: Sentence, kind: FactKind, of: str) -> Mention | None:
    """Where the sentence names the topic; values are left to the reader, who knows a goal from a result."""
    if kind in OF_A_DRUG:
        named = drugs_in(text, sentence.start, sentence.end)
    elif kind == "diagnosis":
        named = diagnoses_in(text, sentence.start, sentence.end)
    else:
        return None
    found = [mention for mention in named if mention.of == of]
    return found[0] if len(found) == 1 and (kind == "diagnosis" or len(named) == 1) else None
