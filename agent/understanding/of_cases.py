# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""What is asked of a request that was made: where it stands, whether and what the payer answered, what is due.

Two grades. `asked` is what only a case can mean. `might` is what is also asked of the rules ("how long do we have to
appeal?"): where a case is open it is asked of the case, and else of what it would be asked of without one.

Examples teach it (evals/understanding/cases.txt), over the features that intents are learned from: a class for each
side and grade, and one for what is no case's. The weights are loaded when the first question comes; where the
embedding model is not installed, the plainest forms are known by rule.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from agent.understanding import learned
from agent.understanding.reading import Talk
from tools.errors import Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Side = Literal["standing", "answer", "said", "filing", "due", "calls", "sent", "approval"]
SIDES: tuple[Side, ...] = get_args(Side)
# The columns of the weights: of no case, each side that only a case has, each that rules have as well.
CLASSES = ("none", *SIDES, *(f"{side}?" for side in SIDES))

WEIGHTS = Path(__file__).parent / "case_weights.npz"
ONLY = 0.6  # of likelihood, from which nothing but a case can be meant
BESIDE_A_CUE = 0.9  # the same, where a cue says that something else is asked
POSSIBLE = 0.5  # of likelihood, from which an open case can be meant


class Read(NamedTuple):
    """The likeliest side, the likelihood that only a case can be meant, and that one can."""

    side: Side
    only: float
    possible: float


def asked(text: str, cued: bool = False) -> Side | None:
    """The side of a case that a piece asks for, where nothing else can be meant; `cued`: a cue says something else."""
    if not is_question(text):
        return None
    if plain := _by_form(text, _PLAIN):
        return plain
    read = _read(text) if len(text.split()) > 1 else None  # one word can mean anything
    return read.side if read and read.only >= (BESIDE_A_CUE if cued else ONLY) else None


def might(text: str) -> Side | None:
    """The side that is asked for, if there is a case that the question can be about."""
    if not is_question(text):
        return None
    if plain := _by_form(text, _SHARED) or _by_form(text, _PLAIN):
        return plain
    read = _read(text)
    return read.side if read and read.possible >= POSSIBLE else None


# --- learned ------------------------------------------------------------------------------------------------

in_use: list[learned.Weights] = []  # loaded when first needed; another may be put here to measure it


def _read(text: str) -> Read | None:
    """None where the embedding model or numpy is not installed. The talk before says nothing here."""
    try:
        row = _row(bare(text))
    except Unavailable:
        return None
    import numpy as np

    if not in_use:
        in_use.append(learned.load(WEIGHTS))
    scores = row @ in_use[0].of + in_use[0].offset
    shares: NDArray[np.float32] = np.exp(scores - scores.max())
    return weighed(shares / shares.sum())


@lru_cache(maxsize=64)  # both grades of a piece are asked for, and a long text says the same again
def _row(text: str) -> NDArray[np.float32]:
    return learned.features(text, Talk(), learned.meaning(text))


def weighed(shares: NDArray[np.float32]) -> Read:
    """Both grades of a side speak for it."""
    only, shared = shares[1 : len(SIDES) + 1], shares[len(SIDES) + 1 :]
    return Read(SIDES[int((only + shared).argmax())], float(only.sum()), float(only.sum() + shared.sum()))


def bare(text: str) -> str:
    """As the examples are read: without its edges and what only joins it to what was said before."""
    return learned.bare(text.strip(" ,.;:-"))


# --- rules --------------------------------------------------------------------------------------------------

_LED = (
    r"^\W*(?:(?:so|and|but|well|ok|okay|hi|hello|hey|now|also|then|please|pls|you|can|could|will|would)\W+)*"
)
# An order, what is yet to be done and how, or what is only supposed is no question of what was done.
_NO_QUESTION = re.compile(
    rf"{_LED}(?:draft|write|rewrite|submit|send|file|appeal(?! (?:status|updates?|progress|news|deadline|window|cutoff|due|filed|sent))|fax|upload|prepare|call(?! log| reference)|phone|ring|e-?mail|mark|attach|tell (?:them|PLAN|the (?:plan|payer|insur\w+))|help)\b"
    r"|\bwhat if\b|\bsuppos\w+\b|\bwhat happens if\b|\bhow (?:do|can|should|would) (?:i|we|you)\b|\b(?:who|where) (?:do|can|should|would) (?:i|we) (?!stand\b)\w+"
)

_PAYER = r"(?:they|PLAN|(?:the|her|his|our) (?:payer|plan|insur\w+(?: company)?))"
_MADE = r"(?:the|her|his|our) (?:DRUG )?(?:appeal|external review|denial|authori[sz]ation case)"
_PLAIN: tuple[tuple[Side, str], ...] = (
    ("calls", rf"\bwho (?:last )?(?:called|phoned|spoke (?:with|to)|talked to) {_PAYER}\b"),
    ("due", r"^(?:is )?(?:there )?anything (?:over)?due\b(?!.*\b(?:TEST|labs?)\b)|\bdid we miss (?:a|any) deadline\b"),
    ("filing", rf"\bby when must we file\b|\bwhen do we have to (?:respond|reply|answer) to {_PAYER}"),
    ("sent", rf"\b(?:was|has|when was|did we send) {_MADE}(?: (?:been )?(?:sent|filed|faxed))?\W*$"),
    ("sent", rf"\b(?:has|did) {_PAYER} (?:get|gotten|receive|received) (?:our|the|her|his) (?:appeal|fax|request)\b"),
    ("said", rf"\bwhat did {_PAYER} (?:say|write|decide)\W*$|^what(?:'s| is| was) in the denial letter"),
    ("answer", rf"^(?:did|have|has) {_PAYER} (?:ever )?(?:answer|repl|respond|decide|get back)\w*(?: to us)?(?: yet)?\W*$"),
    ("standing", rf"\b(?:where|how) (?:does|is) {_MADE}|\b(?:status|news|update|latest|happening) (?:of|on|about|with) {_MADE}|^appeal status"),
)  # fmt: skip
_SHARED: tuple[tuple[Side, str], ...] = (
    ("approval", r"\bwhen does (?:the|her|his) (?:approval|authorization) (?:end|expire)"),
    ("said", rf"\bwhy (?:was it denied|did {_PAYER} deny)\b"),
    ("filing", r"\b(?:how long|until when|too late|deadline)\b.*\bappeal\b"),
    ("standing", r"\bwhere does (?:the|her|his) (?:DRUG )?(?:request|pa|case) stand\b"),
)


def _by_form(text: str, forms: tuple[tuple[Side, str], ...]) -> Side | None:
    return next((side for side, form in forms if re.search(form, text)), None)


def is_question(text: str) -> bool:
    return not _NO_QUESTION.search(text)
