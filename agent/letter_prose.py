"""A letter's free paragraphs in a model's words, as far as every word holds; the rest of it is code's word for word.

Clauses, criteria, treatment, citations and enclosures are never reworded, and neither is a paragraph with a gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from agent import prose
from agent.answers.answer import Said
from agent.grounding import Checker, lines_of
from agent.known_facts import enter_case
from agent.ledger import Ledger
from agent.letter_wording import Reworded, Wording
from tools.cases import Case
from tools.papers.composed import Block, Fact, Letter

if TYPE_CHECKING:
    from agent.models.model import Model

MOST_CALLS = 2  # for one paragraph
GAP = "[PRESCRIBER"


def reword(letter: Letter, case: Case, model: Model) -> Reworded:
    """The letter with its free paragraphs reworded. Once the model fails, code's words stand."""
    verify = _verifier(case)
    blocks: list[Block] = []
    done: list[prose.Worded] = []
    notice = ""
    for block in letter.blocks:
        if notice or not _free(block):
            blocks.append(block)
            continue
        worded = _paragraph(block, letter, model, verify)
        notice = worded.trouble
        done.append(worded)
        blocks.append(Block(kind="text", lines=worded.sentences))
    replies = [reply for worded in done for reply in worded.replies]
    wording = Wording(
        path=_path(done),
        model=model.name,
        model_calls=len(replies),
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        output_tokens=sum(reply.output_tokens for reply in replies),
        rejected=tuple(one for worded in done for one in worded.rejected),
        notice=notice,
    )
    return Reworded(msgspec.structs.replace(letter, blocks=tuple(blocks)), wording)


def _verifier(case: Case) -> prose.Verify:
    """What is wrong with a sentence, held against all that the case holds."""
    known = Ledger()
    enter_case(known, case)
    checker = Checker(known)
    return lambda text: lines_of(checker.check(text))


def _free(block: Block) -> bool:
    """May a model word it: several sentences, none of which waits for the prescriber?"""
    return block.kind == "text" and len(block.lines) > 1 and not any(GAP in line for line in block.lines)


def _paragraph(block: Block, letter: Letter, model: Model, verify: prose.Verify) -> prose.Worded:
    ledger = Ledger()
    said = [Said(text=_slotted(line, letter.facts, ledger)) for line in block.lines]
    return prose.reword(letter.title, said, ledger, model, verify, calls=MOST_CALLS, task="letter")


def _slotted(sentence: str, facts: Sequence[Fact], ledger: Ledger) -> str:
    """The sentence with its facts as slots, the longest first."""
    for fact in sorted(facts, key=lambda fact: -len(fact.value)):
        if fact.value and fact.value in sentence:
            slot = ledger.add("words", fact.value, origin="chart", source=fact.record_id)
            held = re.compile(rf"(?<![\w{{.]){re.escape(fact.value)}(?!\w|\.\d)")
            sentence = held.sub(slot, sentence)
    return sentence


def _path(done: Sequence[prose.Worded]) -> prose.Path:
    paths = {worded.path for worded in done}
    if not paths or paths == {"template"}:
        return "template"
    return "llm" if paths == {"llm"} else "repaired"
