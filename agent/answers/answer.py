"""An answer before it is put into words by anybody: sentences with slots over a ledger of facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from agent.dialogue.query import Addressee, Polarity, Query
from agent.ledger import Ledger
from tools.domain.records import Determination

SURELY_REFUSED = 0.8  # likelihood that what is refused was asked for, from which the refusal comes first


# How what a sentence tells of stands; what nothing proves and nothing rules out is unsettled.
Standing = Literal["", "met", "not_met", "open", "unsettled"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, or one line of a list. `must` is what no rewording may leave out: the outcome, what is
    missing, a refusal. `verbatim` is not to be reworded at all: a quoted clause, a refusal, a warning. What `leans` is
    understood only behind the sentence before it; what stands `ahead` is said before anything that was asked.
    `standing` is how the one criterion stands that it tells of."""

    text: str  # with slots: "The latest HbA1c is {F3}, of {F4}."
    must: bool = True
    verbatim: bool = False
    bullet: bool = False
    leans: bool = False
    ahead: bool = False
    standing: Standing = ""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where something stands: a policy's clause ("BLUESTEM-PPO-OZEMPIC § 1(a)(3)") with its words, or a record
    of the chart ("chart O28") with what it holds."""

    source: str
    quote: str
    kind: Literal["policy", "chart", "note", "plan", "case"] = "policy"


class Answer(msgspec.Struct, kw_only=True):
    """What one ask is answered with. `drugs` is what a follow-up will lean on; `offered` what it asks back
    about; `draft_id` is the draft that was asked for and now waits for review; `general` is an answer for which nothing
    particular was resolved, so that it is a whole list or all criteria; `lost` one that only says that it was not
    understood or cannot be told here, or asks back; `sure` is how likely the turn asks for it, and `yes` what a yes
    to it would say."""

    said: list[Said] = []
    ledger: Ledger
    determinations: list[Determination] = []
    sources: list[Source] = []
    drugs: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    hypothetical: bool = False
    refused: bool = False
    draft_id: int | None = None
    general: bool = False
    lost: bool = False
    closing: list[Said] = []  # of what is to be pasted, behind what other answers put into it
    query: Query = "unclear"  # that it is the answer to
    sure: float = 1.0
    yes: Polarity = ""
    to: Addressee = ""  # of a message

    def say(
        self,
        text: str,
        *,
        must: bool = True,
        verbatim: bool = False,
        bullet: bool = False,
        leans: bool = False,
    ) -> None:
        """Adds a sentence."""
        self.said.append(Said(text=text, must=must, verbatim=verbatim, bullet=bullet, leans=leans))

    def cite(self, sources: Iterable[Source]) -> None:
        """Adds those of the sources that it does not name yet."""
        self.sources += [one for one in sources if one not in self.sources]

    @property
    def surely_refused(self) -> bool:
        """Whether what is refused was surely asked for, so that the refusal comes first."""
        return self.refused and (self.query == "other_patient" or self.sure >= SURELY_REFUSED)


def plain(*texts: str) -> list[Said]:
    """Sentences that are shown in these words; an empty one is none."""
    return [Said(text=text, verbatim=True) for text in texts if text]


# What answers a question, by what a yes to it would say and how what is asked about stands.
_PLAINLY: dict[tuple[Polarity, Standing], str] = {
    ("fine", "met"): "Yes",
    ("fine", "not_met"): "No",
    ("fine", "open"): "Not yet",
    ("fine", "unsettled"): "Not yet",
    ("hurdle", "met"): "No",
    ("hurdle", "not_met"): "Yes",
    ("hurdle", "open"): "Yes, as it stands",
}


def begun_plainly(said: Said, yes: Polarity) -> Said:
    """A sentence on how one criterion stands, as the answer to a question for yes or no."""
    plainly = _PLAINLY.get((yes, said.standing))
    if not plainly:
        return said
    return msgspec.structs.replace(said, text=f"{plainly}. {said.text}", bullet=False)
