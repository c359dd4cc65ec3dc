"""Whom a letter is about, and the numbers by which it is filed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.denials.days import days_in
from tools.denials.found import TOP, Found, stated_at
from tools.denials.records import Stated
from tools.denials.words import Letter
from tools.terminology.dates import calendar_words
from tools.terminology.matcher import medicines_in

# --- names -----------------------------------------------------------------------------------------------

_WORD = r"[A-Z][A-Za-zÀ-ÿ]*(?:['’-][A-Za-zÀ-ÿ]+)*\.?"
_NAME = rf"{_WORD}(?:[ ]{{1,2}}(?:(?:van|von|de|der|la|del|da|bin|al|st\.?|y)[ ]+)*{_WORD}){{1,3}}"
_LAST_FIRST = rf"{_WORD}(?:[ -]{_WORD})?,[ ]{{0,2}}{_WORD}(?:[ ]{_WORD})?(?![-/\d\w])"
_WHO = (
    r"(?:member|patient|pt|enrollee|name|participant|insured(?: person)?|subscriber|cardholder|beneficiary"
    r"|covered person|claimant|"
    r"recipient|customer|individual|re|regarding|to the household of|in the matter of|concerning|about"
    r"|subject|to the parents? of|(?:parent|guardian|parent or guardian) of|for)"
)
_LABELLED = re.compile(
    rf"(?<![\w'])(?i:{_WHO})(?i:(?:'s)? (?:full )?name|'s name)?(?i:[ ]*(?:[:#|.]|\bis\b|-)[ ]*|[ ]{{2,}}"
    rf"|[ ]+)(?i:(?:mr|mrs|ms|miss|dr)\.?[ ]+)?"
    rf"(?P<name>{_LAST_FIRST}|{_NAME})"
)
_ALONE = re.compile(
    rf"^[ ]*(?:(?i:mr|mrs|ms|miss)\.? )?(?P<name>{_NAME}|{_LAST_FIRST})(?=[ ]*(?:$|[,(|/;]|[ ]{{2,}}"
    rf"|\bborn\b|\bID\b))",
    re.MULTILINE,
)
_SEGMENT = re.compile(
    rf"(?:^|[,|/;:(]|[ ]-|[ ]{{3,}})[ ]*(?P<name>{_NAME})[ ]*(?=$|[,|/;()]|[ ]-|[ ]{{3,}})", re.MULTILINE
)
_GREETED = re.compile(
    r"^[ ]*(?i:dear|hello|hi)[ ]+(?:(?i:mr|mrs|ms|miss)\.?[ ]+)?(?P<name>[A-Z][A-Za-zÀ-ÿ'-]+)(?=[ ]*[,:(])",
    re.MULTILINE,
)
_WITHIN = re.compile(
    rf"(?i:\b(?:for|of|member|patient|insured|ran)\b)[ ](?:(?i:mr|mrs|ms)\.? )?(?P<name>{_NAME})(?=["
    rf" ]?(?:[,(]|'s\b|[.;]))"
)
NOT_A_NAME = re.compile(
    r"\b(?:health|plans?|insurance|assurance|mutual|medicare|medicaid|rx|pbm|pharmacy|services?|benefits?"
    r"|fund|trust|care|unit|department|company|"
    r"notice|letter|denial|determination|decision|request|prior|authorization|appeals?|date|policy|group"
    r"|number|reference|case|claim|file|"
    r"re|dear|your|our|the|this|page|member|patient|subscriber|id|drug|dose|medication|important|attention"
    r"|attn|form|street|st|avenue|ave|road|rd|box|way|"
    r"suite|city|review\w*|independent|tpa|desk|eligibility|advantage|complete|benefit|regional"
    r"|manufacturing|commons|determinations?|employers?|pool|system|authority|county|union|local|welfare"
    r"|alliance|network|university|school|association|organization|corporation|inc|llc|state|family|clinic"
    r"|medicine|center|cooperative|response|coverage|status|message|inbox|provider|"
    r"good|morning|hello|hi|thanks|sincerely|medical|director|physician|md|np|do|rn|reason|outcome|result"
    r"|not|approved|denied|administrators?|"
    r"employees?|community|options|solutions|partners|group|fax|phone|tel|to|from|subject|sent|mg|ml|pen"
    r"|tablets?|weekly|daily|" + "|".join(sorted(calendar_words() - {"may"}, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)


def member_of(letter: Letter) -> Stated | None:
    """The person whose request it was."""
    text = letter.plain
    best: Found | None = None
    for found in _names(text):
        if best is None or found.rank < best.rank:
            best = found
    return stated_at(letter, best)


def _names(text: str) -> Iterator[Found]:
    patterns = (
        (_LABELLED, 0, len(text)),
        (_ALONE, 2, TOP),
        (_SEGMENT, 3, TOP),
        (_WITHIN, 4, len(text)),
        (_GREETED, 8, TOP),
    )
    for pattern, rank, limit in patterns:
        at = 0
        while match := pattern.search(text, at, min(limit, len(text))):
            at = match.end() if pattern is not _LABELLED else match.start("name") + 1
            start, end = _trimmed(text, *match.span("name"))
            if rank in (2, 3) and end < match.end("name"):
                continue
            said = text[start:end]
            if text[end : end + 2] == " &":
                continue
            if (
                (len(said.split()) < 2 and pattern is not _GREETED)
                or NOT_A_NAME.search(said)
                or medicines_in(said)
            ):
                continue
            if re.match(r"(?:Dr|Doctor|Prof)\b", said) or re.match(
                r",? [A-Z]{2} \d{5}", text[end : end + 10]
            ):
                continue
            if re.search(
                r"\b(?:Dr|DR|Doctor|MD|Physician|Prescriber)\b[.:]?[ ]*$", text[max(0, start - 14) : start]
            ):
                continue
            if re.match(r",?[ ]*(?:MD|M\.D|DO|NP|PA-C|PharmD|RPh|CPhT|RN)\b", text[end : end + 8]):
                continue
            label = text[match.start() : start].casefold()
            weak = rank == 0 and bool(
                re.match(r"\W*(?:re|for|name|regarding|concerning|about|subject)\b", label)
            )
            beside = bool(re.search(r"\d{3}", text[end : end + 45])) and rank in (2, 3)
            yield Found(start, end, rank + weak - beside)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut off at the first word that cannot belong to a name."""
    kept = start
    for match in re.finditer(r"[^ ,]+", text[start:end]):
        if NOT_A_NAME.fullmatch(match[0].rstrip(".")):
            break
        kept = start + match.end()
    while kept > start and text[kept - 1] in " .,":
        kept -= 1
    return start, kept


# --- numbers ---------------------------------------------------------------------------------------------

_TOKEN = r"(?=[A-Z0-9/. -]{0,22}\d)[A-Z0-9]+(?:[-/.][A-Z0-9]+)*"
_SPACED = r"[A-Z0-9]*\d?[A-Z0-9]*(?: [A-Z0-9]*\d[A-Z0-9]*){0,3}"
_HOLDER = (
    r"(?:member(?:ship)?|mem|subscriber|card ?holder|enrollee|participant|medicaid|medicare(?: drug plan)?"
    r"|insured|patient|identification|plan member|"
    r"certificate|beneficiary|recipient|your member|policy ?holder|oxbow|plan)"
)
_ID_LABEL = re.compile(
    rf"(?<![\w-])(?:{_HOLDER}(?:'s)?[ ]*(?:id(?:entification)?(?:[ ]*(?:no\b|number\b|#)\.?)?|no\b\.?"
    rf"|number\b|#|nr\b\.?)[ ]*\)?|identification[ ]+no\b\.?|{_HOLDER}|(?<!case )(?<!tax )\bid(?:["
    rf" ]*(?:no\b\.?|number\b|#))?)"
    rf"[ ]*[:#|.]*[ ]*[(]?(?P<id>(?-i:{_TOKEN}(?: \d[\dA-Z]*){{0,3}}|[A-Z]{{2,4}}(?: \d{{2,}}){{1,3}}))",
    re.IGNORECASE,
)
_REF_WORDS = (
    r"(?:our |your )?(?:reference|ref|case|file|tracking|trace|ticket|auth(?:orization)?|request|notice"
    r"|appeal|claim|determination|decision|filing|"
    r"PA|call|letter|ours?|control|transaction|redetermination|reconsideration|event|review|confirmation"
    r"|[A-Z][a-z]+ ref)"
)
_REF_LABEL = re.compile(
    rf"(?<![\w-]){_REF_WORDS}\b(?:[ ]+(?:id|no|number|nr|ref|file|ticket|call|this letter|auth))?\.?["
    rf" ]*(?:[:#|]|\bis\b)*[ ]*[(#]?"
    rf"(?P<id>(?-i:[A-Z]{{2,4}} \d[\d-]{{3,}}|{_TOKEN}))",
    re.IGNORECASE,
)
_LOOSE = re.compile(rf"(?<![\w@/.-])(?P<id>{_TOKEN})(?![\w@-])")
_NO_NUMBER = re.compile(
    r"^(?:(?:\(\d{3}\)[- .]?|\d{3}[- .])\d{3}[-.]\d{4}|1-\d{3}-.*|\d{1,2}/\d{1,2}(?:/\d{2,4})?"
    r"|[A-Z]\d\d(?:\.\w{1,4})?|\d+(?:\.\d+)?(?:MG|ML|D|H)?|\d{1,3}|"
    r"[A-Z]+-?\d{1,2}|\d{1,2}[.:]\d{1,2}(?:\.\d+)*|.*\d(?:MG|ML)\b.*)$",
    re.IGNORECASE,
)


def member_id_of(letter: Letter, name: Stated | None) -> Stated | None:
    """The member's number: labelled so, or beside the name."""
    text = letter.plain
    for match in _ID_LABEL.finditer(text):
        start, end = match.span("id")
        end = _without_tail(text, start, end)
        if _is_number(text[start:end], text, end) and not _is_phone(text, start, end):
            return stated_at(letter, Found(start, end, 0))
    if name is None:
        return None
    at = text.find(letter.plain[_plain_start(letter, name) : _plain_start(letter, name) + 4])
    after = _plain_start(letter, name) + len(name.quote.text)
    for match in re.finditer(rf"(?P<id>[A-Z]{{2,4}}(?: \d{{2,}}){{1,3}}|{_TOKEN})", text[after : after + 90]):
        start, end = after + match.start("id"), after + match.end("id")
        if _is_number(text[start:end], text, end) and not _labelled_as_reference(text, start) and at >= 0:
            return stated_at(letter, Found(start, end, 0))
    return None


def reference_of(letter: Letter, member_id: Stated | None) -> Stated | None:
    """The payer's number of this request."""
    text = letter.plain
    best: Found | None = None
    for match in _REF_LABEL.finditer(text):
        start, end = match.span("id")
        if member_id is not None and text[start:end] == member_id.value:
            continue
        if not _is_number(text[start:end], text, end, short=True) or _is_phone(text, start, end):
            continue
        rank = 1 if re.match(r"(?:pa|call|claim)\b", match[0], re.IGNORECASE) else 0
        rank += 2 * bool(
            re.match(r"(?:request|decision|review|letter)\b", match[0], re.IGNORECASE)
            and start - match.start() > 22
        )
        rank += 3 * bool(
            re.search(
                r"\b(?:first|earlier|original|previous)\s*$", text[max(0, match.start() - 10) : match.start()]
            )
        )
        if best is None or rank < best.rank:
            best = Found(start, end, rank)
    if best is None:
        best = next(_loose(text, member_id), None)
    return stated_at(letter, best)


def _loose(text: str, member_id: Stated | None) -> Iterator[Found]:
    for match in _LOOSE.finditer(text, 0, min(len(text), 900)):
        said = match["id"]
        if member_id is not None and (said == member_id.value or said in member_id.value):
            continue
        if (
            _is_number(said, text, match.end())
            and not _is_phone(text, *match.span())
            and re.search(r"[A-Z].*\d{3}|\d{3}.*[A-Z]|\d{2,}[-/]\d{3,}", said)
        ):
            if re.search(
                r"(?:box|street|group|grp|bin|pcn|npi|policy|fax|phone|tel|ph|fx|zip)\W*(?:no\W*)?$",
                text[max(0, match.start() - 12) : match.start()],
                re.I,
            ):
                continue
            yield Found(*match.span(), 0)


def _is_number(said: str, text: str, end: int, short: bool = False) -> bool:
    if sum(c.isdigit() for c in said) < 3 or len(said) < 4:
        return False
    if said.isdigit():
        return len(said) >= (5 if short else 6) and not re.match(r"\s*(?:mg|mL|days|%)", text[end : end + 6])
    if next(iter(days_in(said)), None) is not None:
        return False
    return not _NO_NUMBER.match(said)


def _is_phone(text: str, start: int, end: int) -> bool:
    return bool(
        re.match(r"\(?\d{3}\)?[ -]\d{3}-\d", text[start : start + 12])
        or re.search(r"(?:1-|\(\d{3}\) ?|\d{3}-)$", text[max(0, start - 6) : start])
    )


def _labelled_as_reference(text: str, start: int) -> bool:
    return bool(
        re.search(
            r"(?:ref(?:erence)?|case|file|ticket|letter|request|auth\w*)\W{0,4}(?:no|number|#)?\W{0,3}$",
            text[max(0, start - 18) : start],
            re.IGNORECASE,
        )
    )


def _without_tail(text: str, start: int, end: int) -> int:
    """A number with blanks in it ends where the next word is none of it."""
    said = text[start:end]
    match = re.match(
        r"(?:[A-Z]{2,4} \d{2,}(?: \d{2,})*|[A-Z0-9]+(?:[-/.][A-Z0-9]+)*(?: \d{2,}(?![/.]))*)",
        said,
        re.IGNORECASE,
    )
    return start + (match.end() if match else len(said))


def _plain_start(letter: Letter, stated: Stated) -> int:
    return letter.plain_at(stated.quote.start)
