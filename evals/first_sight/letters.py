"""Letters by another hand, read by the reader of payers' letters. Scores of sets that are in evals/examples/letters are
of letters from which the reader has learned; `python -m evals.train letters` tells how it reads authors held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from evals.first_sight.rows import LetterRow
from tools.denials.reader import read_letter
from tools.denials.records import Denial
from tools.denials.slips import legible
from tools.terminology.matcher import products_in

EXAMPLES = Path(__file__).parents[1] / "examples" / "letters"
KINDS = {"partial": "partial_approval", "upheld": "appeal_upheld", "overturned": "appeal_overturned"}
UNKNOWN = "unclear"
REFUSALS = frozenset(["denial", "partial_approval", "appeal_upheld"])
# whose reasons are counted: of others, some authors give what is missing
UNPAID = REFUSALS | {"payment_advice"}
DATES = frozenset(["notice", "receipt", "reply_by", "appeal_by", "p2p_by", "effective", "expires"])


def score(
    letters: Sequence[dict[str, Any]],
    name: str,
    voice: str,
    read: Callable[[str], Denial] = read_letter,
    miss: Callable[[str], None] = lambda _: None,
) -> LetterRow:
    """The counts of a set: kinds, reasons, dates, drugs decided on, and orders that were reported."""
    counts: Counter[str] = Counter()
    for letter in letters:
        found = read(letter["text"])
        kind = KINDS.get(letter["kind"], letter["kind"])
        counts["right"] += found.kind == kind
        counts["abstained"] += found.kind == UNKNOWN != kind
        counts["false"] += found.kind in REFUSALS and kind not in REFUSALS
        if found.kind != kind:
            miss(f"{letter['id']}: {letter['kind']} read as {found.kind}")
        unpaid = kind in UNPAID
        parts: dict[str, tuple[set[Any], set[Any]]] = {
            "reason": (
                {code for code in found.codes if unpaid},
                {one["code"] for one in letter["reasons"] if unpaid},
            ),
            "date": (dates_read(found), _dates(letter)),
            "drug": (_medicines(one.name for one in found.drugs), _medicines(letter["decided"])),
        }
        for part, (told, wanted) in parts.items():
            counts[f"{part} right"] += len(told & wanted)
            counts[f"{part} told"] += len(told)
            counts[f"{part} wanted"] += len(wanted)
            if told != wanted:
                miss(f"{letter['id']}: {part} extra {sorted(told - wanted)}, missed {sorted(wanted - told)}")
        orders = any(one["role"] == "order" for one in letter["sentences"])
        counts["orders"] += orders
        counts["orders reported"] += orders and bool(found.orders)

    def counted(part: str) -> tuple[int, int, int]:
        return counts[f"{part} right"], counts[f"{part} told"], counts[f"{part} wanted"]

    return LetterRow(
        set=name, voice=voice, n=len(letters), right=counts["right"], abstained=counts["abstained"],
        false_denials=counts["false"], reasons=counted("reason"), dates=counted("date"), drugs=counted("drug"),
        orders=(counts["orders reported"], counts["orders"]),
    )  # fmt: skip


def _medicines(names: Iterable[str]) -> set[str]:
    """Each by the terminology's name for it: a key may be written as the letter prints it ("ZEPBOUND 7.5MG/0.5ML",
    "0zempic")."""
    return {spans[0].key if (spans := products_in(legible(name))) else name.casefold() for name in names}


def _dates(letter: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["what"], one["date"]) for one in letter["dates"] if one["what"] in DATES and one["date"]}


def dates_read(read: Denial) -> set[tuple[str, str]]:
    """Each day that a letter's record gives, by what it is."""
    days: list[tuple[str, date | None]] = [(one.what, one.value) for one in read.days if one.what in DATES]
    days.append(("reply_by", read.reply_by.day if read.reply_by else None))
    for right in read.rights:
        if right.kind != "expedited" and right.deadline:
            days.append(("p2p_by" if right.kind == "peer_to_peer" else "appeal_by", right.deadline.day))
    return {(what, day.isoformat()) for what, day in days if day}
