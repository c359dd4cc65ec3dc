"""What may be done against a decision, by when and where, as the letter states it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

from tools.dates import add_months
from tools.denials.days import SPAN, Day, amount_of, days_in, short_days_in
from tools.denials.records import Anchor, Deadline, Quote, Right, RightKind
from tools.denials.words import Letter, Passage

_KINDS: tuple[tuple[RightKind, str], ...] = (
    (
        "peer_to_peer",
        r"peer[- ]to[- ]peer|\bP2P\b|(?:talk|speak|discuss\w*|call|conversation)\b[^.]{0,50}\b(?:our|the|a"
        r"|the plan's|plan) (?:\w+ )?(?:physician|medical director|reviewer|doctor|pharmacist)|(?:^|\."
        r" )Call me\b",
    ),
    ("fair_hearing", r"fair hearing|state hearing"),
    ("hearing", r"administrative law judge|\bALJ\b|medicare hearings"),
    (
        "external_review",
        r"external (?:review|appeal)|independent (?:\w+ )?review(?: organi[sz]ation| entity)?|outside"
        r" review\w*|review by (?:an )?independent|\bIRO\b|\bIRE\b|people outside|independent (?:outside"
        r" )?review",
    ),
    (
        "second_level",
        r"second[- ](?:level )?(?:internal )?(?:appeal|review|level)|level two|second level|(?:thereafter"
        r"|then|next)[, ]+(?:to )?the (?:board|trustees|committee)|second internal|level 2",
    ),
    (
        "appeal",
        r"\bappeal\w*|redetermination|full and fair review|grievance|first[- ]level|level one|level 1\b"
        r"|ask us to (?:reconsider|review|look)|reconsideration",
    ),
)
_EXPEDITED = re.compile(
    r"\bexpedit\w+|\bfast(?:er)? (?:appeal|decision|review|answer|one|redetermination|reconsideration"
    r"|grievance)|\bfast\b[^.]{0,40}\bappeals?\b|\bfast appeals?\b|(?:72|24) hours?[^.]{0,30}urgent"
    r"|urgent\w*\b[^.]{0,80}(?:72|24|hours|faster|phone|telephone|call|appeal|one)|\bquick(?:er)?"
    r" (?:appeal|decision)|rushed? (?:appeal|review)",
    re.IGNORECASE,
)
_NO_RIGHT = re.compile(
    r"nothing to appeal|(?:is|are) not an appeal|could have appealed|would (?:give|have|be|then)|had (?:we"
    r"|no part|you)|your (?:appeal|grievance) (?:about|of|was|dated|on)|(?:looked at|considered|received"
    r"|decided|heard|with) your appeal|"
    r"appeal (?:no\.?|number|#|decision)\b|appeals? (?:unit|department|team|office|panel)\W*$|member"
    r" appeals\W*$|the appeal (?:was|is) (?:denied|upheld)|before (?:the|your) appeal",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"\b(?:may|can|could|rights?|asks?|asking|file[ds]?|filing|request(?:s|ed)?|within|days?|d\b|months?"
    r"|deadline|must|levels?|next|until|no later|available|"
    r"avail|offer\w*|lies|follow\w*|call|speak|talk|discuss|write|mail|fax|possible|=|by|thereafter"
    r"|accepted|want|comes?|after\w*|then|open|line|second appeal|level two)\b|=",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:asked|appealed|filed|requested|received|reviewed|heard|considered|looked at|decided|upheld"
    r"|upholds|overturned|reversed|accepted|denied)\b",
    re.IGNORECASE,
)
_BY = re.compile(
    r"(?:\bby|\buntil|no later than|on or before|\bbefore|through|thru|deadline\b[^.\n]{0,40}|last"
    r" day[^.\n]{0,40}|\bdue(?: date)?|expires(?: on)?|ends(?: on)?|that means by|at the latest(?:"
    r" on)?)\W*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?$",
    re.IGNORECASE,
)
_FROM_NOTICE = re.compile(
    r"(?:date (?:of|on|printed on|shown on|at the top of) (?:this|the|your) (?:\w+ )?(?:notice|letter|fax"
    r"|decision|denial|message|determination|page)|(?:notice|letter|decision|denial|fax)(?:'s|\u2019s)?"
    r" date|(?:this|the|that|above) (?:above )?date|today|date above|from the above|of this (?:notice"
    r"|letter|denial|decision|determination)|from this (?:notice|letter|date)|of the (?:notice|letter)"
    r"|date of (?:the )?(?:notice|letter|denial|decision|determination|adverse)|after this (?:notice"
    r"|letter)|from now|date we (?:sent|mailed|wrote))",
    re.IGNORECASE,
)
_FROM_RECEIPT = re.compile(
    r"\breceiv\w+|\breceipt|\bget(?:s|ting)?\b|\bgot\b|\bafter (?:it|this) (?:reaches|arrives)|\bin"
    r" (?:your|her|his) hands|delivery",
    re.IGNORECASE,
)
_FROM_DECISION = re.compile(
    r"(?:of|after|from|following) (?:the|our|your|this|its) (?:adverse |initial )?(?:denial|decision"
    r"|determination)\b",
    re.IGNORECASE,
)
_PHONE = r"(?:1[- ])?\(?[0-9OlI]{3}\)?[- .]{1,2}[0-9OlI]{3}-[0-9OlI]{4}(?:,? (?:opt(?:ion)?|ext)\.? \d+)?"
_WHERE = re.compile(
    rf"(?:(?:fax|phone|call|telephone|line|ph|fx|tel)\W{{0,3}}(?:us (?:at|on)\W?)?)?{_PHONE}|(?:P\.?O\.?"
    rf" ?Box \d+|\d+ [A-Z][\w.]+(?: [A-Z][\w.]+){{0,3}}),[^.\n;]{{0,60}}?\b[A-Z]{{2}} ?\d{{5}}"
    rf"|https?://\S+[\w/]",
    re.IGNORECASE,
)


def rights_told(letter: Letter, dated: date | None) -> tuple[Right, ...]:
    """Each kind of right once, with its first words; its deadline and places may stand in the sentences that follow."""
    found: dict[RightKind, Right] = {}
    last: RightKind | None = None
    for passage in letter.passages:
        text = passage.text
        kinds = list(_kinds(text)) if _OFFERS.search(text) else []
        if (
            kinds
            and _NO_RIGHT.search(text)
            and not re.search(
                r"\b(?:may|can) (?:also )?(?:appeal|ask|request)|within \d", text, re.IGNORECASE
            )
        ):
            kinds = []
        if _PAST.search(text) and not re.search(
            r"(?-i:\bmay\b)|\b(?:can|rights?|must)\b|\b(?:have|within|until) \d", text, re.IGNORECASE
        ):
            kinds = []
        stated = list(_deadlines(letter, passage, dated))
        for kind, at, stop in kinds:
            first = kind == kinds[0][0]
            near = _together([d for place, d in stated if place < stop and (first or place >= at)])
            _add(found, letter, kind, passage, near)
            last = kind if kind in found else last
        if (
            _EXPEDITED.search(text)
            and (kinds or last or passage.zone == "rights")
            and not _hypothetical(text)
        ):
            found.setdefault(
                "expedited", Right(kind="expedited", quote=letter.quote(passage.start, passage.end))
            )
        if (
            not kinds
            and last in ("appeal", "external_review", "hearing", "fair_hearing")
            and _follows(passage)
        ):
            near = _together([d for _, d in stated])
            if near is not None and found[last].deadline is None:
                found[last] = _with(found[last], near)
        for match in _WHERE.finditer(text):
            of = kinds[0][0] if kinds else last
            if of in found and len(found[of].where) < 4 and (kinds or _follows(passage)):
                place = letter.quote(passage.start + match.start(), passage.start + match.end())
                found[of] = Right(
                    kind=of,
                    quote=found[of].quote,
                    deadline=found[of].deadline,
                    where=(*found[of].where, place),
                )
    return tuple(sorted(found.values(), key=lambda right: right.quote.start))


def _kinds(text: str) -> Iterator[tuple[RightKind, int, int]]:
    """The kinds that a sentence speaks of, each with its reach."""
    taken: list[tuple[int, int, RightKind]] = []
    for kind, words in _KINDS:
        for match in re.finditer(words, text, re.IGNORECASE):
            if not any(a < match.end() and match.start() < b for a, b, _ in taken):
                taken.append((match.start(), match.end(), kind))
    taken.sort()
    if any(kind == "external_review" for *_, kind in taken):  # an entity's reconsideration is one thing
        taken = [hit for hit in taken if text[hit[0] : hit[1]].casefold() != "reconsideration"]
    if not taken and re.search(r"\bask for (?:a )?hearing\b", text, re.IGNORECASE):
        return
    seen = set()
    for index, (start, _, kind) in enumerate(taken):
        if kind == "appeal" and any(
            other in ("second_level", "external_review") and abs(a - start) < 25 for a, _, other in taken
        ):
            continue
        stop = next((a for a, _, other in taken[index + 1 :] if other != kind and a - start > 25), len(text))
        if kind not in seen:
            seen.add(kind)
            yield kind, start, max(stop, start + 30)


def _add(
    found: dict[RightKind, Right],
    letter: Letter,
    kind: RightKind,
    passage: Passage,
    deadline: Deadline | None,
) -> None:
    known = found.get(kind)
    if known is None:
        if _hypothetical(passage.text) or (
            re.fullmatch(
                r"\W*[\w ,'/&-]{0,60}\b(?:appeals?|grievances?)(?: unit| department)?\W*",
                passage.text,
                re.IGNORECASE,
            )
            and passage.item
            and deadline is None
            and not re.search(r"right|\b(?:can|may)\b", passage.text, re.IGNORECASE)
        ):
            return
        found[kind] = Right(kind=kind, quote=letter.quote(passage.start, passage.end), deadline=deadline)
    elif deadline is not None and (
        known.deadline is None or (deadline.stated and not known.deadline.stated and kind != "peer_to_peer")
    ):
        found[kind] = _with(known, _merged(known.deadline, deadline))


def _together(stated: list[Deadline]) -> Deadline | None:
    """The span and the day that one sentence gives for the same right."""
    day = next((deadline for deadline in stated if deadline.stated), None)
    span = next((deadline for deadline in stated if deadline.amount is not None), None)
    if day is not None and span is not None and span.day in (None, day.day):
        return _merged(span, day)
    return stated[0] if stated else None


def _merged(old: Deadline | None, new: Deadline) -> Deadline:
    """A span and the day that the letter gives for it are one deadline."""
    if old is None or old.amount is None:
        return new
    return Deadline(
        quote=new.quote, amount=old.amount, unit=old.unit, runs_from=old.runs_from, day=new.day, stated=True
    )


def _with(right: Right, deadline: Deadline) -> Right:
    return Right(kind=right.kind, quote=right.quote, deadline=deadline, where=right.where)


def _hypothetical(text: str) -> bool:
    return bool(
        re.search(
            r"\b(?:could have appealed|nothing to appeal|a denial would|would give|had we)\b",
            text,
            re.IGNORECASE,
        )
    )


def _follows(passage: Passage) -> bool:
    return passage.zone == "rights" or len(passage.text) < 260


# --- deadlines -------------------------------------------------------------------------------------------


def _deadlines(letter: Letter, passage: Passage, dated: date | None) -> Iterator[tuple[int, Deadline]]:
    """The deadlines that a passage states, each at the place where it stands. The payer's own time to answer
    is none."""
    plain, begin = letter.plain, passage.start
    text = passage.text
    days = [Day(d.day, d.start - begin, d.end - begin) for d in days_in(plain, passage.start, passage.end)]
    if dated is not None:
        days += [
            Day(d.day, d.start - begin, d.end - begin)
            for d in short_days_in(plain, dated.year, passage.start, passage.end)
        ]
    for day in days:
        if _BY.search(text[: day.start]):
            yield (
                day.start,
                Deadline(quote=letter.quote(begin + day.start, begin + day.end), day=day.day, stated=True),
            )
    for match in SPAN.finditer(text):
        amount, unit = amount_of(match)
        if unit == "hours" or not _is_a_time_to_act(text, match):
            continue
        runs_from, stop = _anchor(text, match)
        last = _counted(dated, amount, unit, runs_from)
        quote = letter.quote(begin + match.start(), begin + max(stop, match.end()))
        yield match.start(), Deadline(quote=quote, amount=amount, unit=unit, runs_from=runs_from, day=last)  # type: ignore[arg-type]


def _is_a_time_to_act(text: str, match: re.Match[str]) -> bool:
    before, after = text[max(0, match.start() - 70) : match.start()], text[match.end() : match.end() + 60]
    if re.search(
        r"(?:we|plan|board|decision|decide[sd]?|answer(?:ed|s)?|reviewer|written decision|covers?|paid"
        r"|waiting|supply|last fill)[^.,;]{0,40}$",
        before,
        re.IGNORECASE,
    ) and not re.search(
        r"(?:have|has|within|file|appeal|ask|request)[^.,;]{0,30}$", before[-35:], re.IGNORECASE
    ):
        return False
    if re.search(
        r"(?:decide|decision|answer)\w*[^.;]{0,24}\b(?:in|within) $", before, re.IGNORECASE
    ) and not re.search(r"\bask|file|appeal\b", before, re.IGNORECASE):
        return False
    if re.search(
        r"(?:per|every|for|of|at|mL|tablets?|if waiting|tried for|supply)\W*(?:the )?$", before, re.IGNORECASE
    ) and not re.search(
        r"(?:appeal|window|period|right)\w*[^.]{0,30}(?:for|of|=|:)\W*$|(?:up to)\W*$", before, re.IGNORECASE
    ):
        return False
    return bool(
        re.search(
            r"within|no later than|up to|have|has|=|period|\bin\b|must|for|until|appeal|\(|counted"
            r"|deadline|limit|allowed|\bfrom\b|\bafter\b|level",
            before + after,
            re.IGNORECASE,
        )
    )


def _anchor(text: str, match: re.Match[str]) -> tuple[Anchor | None, int]:
    """From which day the span runs, and where the words that say so end."""
    reach = re.split(r"[.;](?=\s|$)|\), ", text[match.end() : match.end() + 90])[0]
    hits = [
        (hit.start(), hit.end(), name)
        for name, words in (
            ("notice", _FROM_NOTICE),
            ("receipt", _FROM_RECEIPT),
            ("decision", _FROM_DECISION),
        )
        if (hit := words.search(reach))
    ]
    if not hits:
        behind = re.search(r"(?:from|after|since|once) [^.;]{0,60}$", text[: match.start()])
        if behind and _FROM_RECEIPT.search(behind[0]):
            return "receipt", match.end()
        return None, match.end()
    receipt = next((hit for hit in hits if hit[2] == "receipt"), None)
    notice = next((hit for hit in hits if hit[2] == "notice"), None)
    chosen = receipt if receipt and (not notice or receipt[0] <= notice[0]) else (notice or hits[0])
    return chosen[2], match.end() + chosen[1]  # type: ignore[return-value]


def _counted(dated: date | None, amount: int, unit: str, runs_from: Anchor | None) -> date | None:
    """The day, where it runs from the letter's own date and in days or months of the calendar."""
    if dated is None or runs_from not in ("notice", "decision"):
        return None
    if unit == "months":
        return add_months(dated, amount)
    return dated + timedelta(days=amount) if unit == "days" else None


def reply_told(letter: Letter, dated: date | None) -> Deadline | None:
    """By when a pend wants its answers."""
    best: Deadline | None = None
    for passage in letter.passages:
        if re.search(r"\b(?:appeal|denied on|our own time)\b", passage.text, re.IGNORECASE):
            continue
        for _, deadline in _deadlines(letter, passage, dated):
            if deadline.day is not None and deadline.stated:
                return deadline
            best = best or deadline
    return best


def questions_told(letter: Letter) -> tuple[Quote, ...]:
    """What a pend asks: its questions, and the items of the list below the line that asks for them."""
    found: list[Quote] = []
    asking = False
    for _, passages in groupby(letter.passages, lambda passage: passage.line):
        parts = list(passages)
        text = letter.line_at(parts[0].start).strip()
        listed = bool(_LISTED.match(text))
        if listed and (asking or text.endswith("?")):
            found.append(letter.quote(parts[0].start, parts[-1].end))
        elif not listed:
            asking = bool(_ASKING.search(text))
            found += [
                letter.quote(p.start, p.end)
                for p in parts
                if p.text.strip().endswith("?") and not _NO_QUESTION.match(p.text.strip())
            ]
    return tuple(found)


_LISTED = re.compile(r"(?:[-*]|\(?\d{1,2}[.)]|\(?[a-z][.)]|\[ ?\])\s*\S")
_ASKING = re.compile(
    r":\s*$|please (?:answer|send|provide|submit|state|tell)|\b(?:answer|tell us|send us|need|following"
    r"|questions)\b",
    re.IGNORECASE,
)
_NO_QUESTION = re.compile(
    r"(?:what (?:if|can|happens)|questions\?|why|how (?:do|to|can)|need help)", re.IGNORECASE
)
