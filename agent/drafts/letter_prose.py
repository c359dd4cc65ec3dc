"""A letter's free paragraphs in a model's words, as far as every word holds; the rest of it is code's word for word.

Clauses, criteria, treatment, citations and enclosures are never reworded, and neither is a paragraph with a gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from agent import prose
from agent.answers.answer import Said
from agent.drafts.letter_wording import Reworded, Wording
from agent.ledger import Ledger
from agent.verification.checker import Checker, lines_of
from agent.verification.known_facts import enter_all_of
from tools.papers.blocks import Block, Fact, Letter, paragraph
from tools.papers.case import Case

if TYPE_CHECKING:
    from agent.models.model import Model

MOST_CALLS = 2
GAP = "[PRESCRIBER"


def reword(letter: Letter, case: Case, model: Model, decided: date | None = None) -> Reworded:
    """The letter with its free paragraphs reworded, all in one call; what the model leaves out or gets wrong is
    said in code's words, and every sentence stays in its paragraph. `decided` is the day of the
    decision that it answers, which no chart has."""
    free = [at for at, block in enumerate(letter.blocks) if _free(block)]
    ledger, said, home = Ledger(), list[Said](), list[int]()
    for at in free:
        for place, line in enumerate(letter.blocks[at].lines):
            said.append(Said(text=_slotted(line, letter.facts, ledger), verbatim=place == 0))
            home.append(at)
    if not said:
        return Reworded(letter, Wording(model=model.name))
    worded = prose.reword(
        letter.title, said, ledger, model, _verifier(case, decided), calls=MOST_CALLS, task="letter"
    )
    told = list(zip(worded.places, worded.sentences, strict=True))
    blocks = list(letter.blocks)
    for at in free:
        blocks[at] = paragraph(*(sentence for place, sentence in told if home[place] == at))
    return Reworded(msgspec.structs.replace(letter, blocks=tuple(blocks)), _wording(worded, model))


def _wording(worded: prose.Worded, model: Model) -> Wording:
    return Wording(
        path=worded.path,
        model=model.name,
        model_calls=len(worded.replies),
        prompt_tokens=sum(reply.prompt_tokens for reply in worded.replies),
        output_tokens=sum(reply.output_tokens for reply in worded.replies),
        rejected=worded.rejected,
        notice=worded.trouble,
    )


def _verifier(case: Case, decided: date | None = None) -> prose.Verify:
    """What is wrong with a sentence, held against all that the case holds."""
    known = Ledger()
    enter_all_of(known, case)
    if decided is not None:
        known.add("date", decided, origin="request", attribute="decision", source="denial")
    checker = Checker(known)
    return lambda text: lines_of(checker.check(text))


def _free(block: Block) -> bool:
    """May a model word it: several sentences, none of which waits for the prescriber?"""
    return block.kind == "text" and len(block.lines) > 1 and not any(GAP in line for line in block.lines)


def _slotted(sentence: str, facts: Sequence[Fact], ledger: Ledger) -> str:
    """The sentence with its facts as slots, the longest first, each in the letters in which it stands there."""
    for fact in sorted(facts, key=lambda fact: -len(fact.value)):
        if fact.value.casefold() in sentence.casefold():
            held = re.compile(rf"(?<![\w{{.]){re.escape(fact.value)}(?!\w|\.\d)", re.IGNORECASE)

            def slot(found: re.Match[str], source: str = fact.record_id) -> str:
                return ledger.add("words", found[0], origin="chart", source=source)

            sentence = held.sub(slot, sentence)
    return sentence
