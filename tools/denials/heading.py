"""Who a letter is from, whom it is about, and the numbers and days by which it is filed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.denials.cues import drug_pattern
from tools.denials.days import days_in
from tools.denials.records import Stated, StatedDate
from tools.denials.words import Letter

_TOP = 1600  # characters of a letter in which its heading is looked for


class Found(NamedTuple):
    start: int
    end: int
    rank: int


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
    r"|tablets?|weekly|daily|"
    + "|".join(
        [
            "january",
            "february",
            "march",
            "july",
            "september",
            "october",
            "november",
            "december",
            "jan",
            "feb",
            "mar",
            "apr",
            "jun",
            "jul",
            "aug",
            "sept",
            "sep",
            "oct",
            "nov",
            "dec",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ]
    )
    + r")\b",
    re.IGNORECASE,
)


def member_of(letter: Letter) -> Stated | None:
    """The person whose request it was."""
    text = letter.plain
    best: Found | None = None
    for found in _names(text):
        if best is None or found.rank < best.rank:
            best = found
    return _stated(letter, best)


def _names(text: str) -> Iterator[Found]:
    patterns = (
        (_LABELLED, 0, len(text)),
        (_ALONE, 2, _TOP),
        (_SEGMENT, 3, _TOP),
        (_WITHIN, 4, len(text)),
        (_GREETED, 8, _TOP),
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
                or drug_pattern().search(said)
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
    rf"|number\b|#|nr\b\.?)[ ]*\)?|identification[ ]+no\.?|{_HOLDER}|(?<!case )(?<!tax )\bid(?:["
    rf" ]*(?:no\.?|number|#))?)"
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
            return _stated(letter, Found(start, end, 0))
    if name is None:
        return None
    at = text.find(letter.plain[_plain_start(letter, name) : _plain_start(letter, name) + 4])
    after = _plain_start(letter, name) + len(name.quote.text)
    for match in re.finditer(rf"(?P<id>[A-Z]{{2,4}}(?: \d{{2,}}){{1,3}}|{_TOKEN})", text[after : after + 90]):
        start, end = after + match.start("id"), after + match.end("id")
        if _is_number(text[start:end], text, end) and not _labelled_as_reference(text, start) and at >= 0:
            return _stated(letter, Found(start, end, 0))
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
    return _stated(letter, best)


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


# --- days ------------------------------------------------------------------------------------------------

_BIRTH = re.compile(r"(?:d\.?o\.?b\.?|birth\s?date|date of birth|born(?: on)?|birth)\W*$", re.IGNORECASE)
_RECEIVED = re.compile(r"(?:received|receipt|got|came in|reached us)\b[^.\n]{0,60}$", re.IGNORECASE)
_DECIDED = re.compile(
    r"(?:decided|decision (?:date|made|of)|date of (?:decision|determination)|determined|determination"
    r" date)[^.\n]{0,25}$",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"(?:date(?: (?:of (?:this )?(?:notice|letter|discussion|fax)|sent|posted|issued|printed|mailed))?"
    r"|dated|posted|sent|mailed|issued|notice date|letter date|call log|log)\W*(?:\w{3}, )?$",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(?:fill(?:ed)?|by|until|from|through|to|since|on|before|ends?|ended|due|claim of|study of|since"
    r"|denied|drawn|\bof)\W*$",
    re.IGNORECASE,
)


class Dates(NamedTuple):
    dated: StatedDate | None
    born: StatedDate | None
    received: StatedDate | None
    decided: StatedDate | None


def dates_of(letter: Letter) -> Dates:
    """The letter's day is one that it names so, or the first that stands by itself."""
    text = letter.plain
    dated: tuple[int, StatedDate] | None = None
    born = received = decided = None
    for day in days_in(text):
        before = text[max(0, day.start - 80) : day.start]
        stated = StatedDate(value=day.day, quote=letter.quote(day.start, day.end))
        if _BIRTH.search(before):
            born = born or stated
        elif _RECEIVED.search(before):
            received = received or stated
        elif _DECIDED.search(before):
            decided = decided or stated
        else:
            rank = _rank_of_date(before, text, day.start, day.end, day.day.year)
            if dated is None or rank < dated[0]:
                dated = (rank, stated)
    if born is None and dated is not None:
        born = _lone_birth(letter, dated[1])
    chosen = dated[1] if dated and dated[0] < 8 else None
    if (
        decided
        and (dated is None or dated[0] > 0)
        and (chosen is None or decided.quote.start < chosen.quote.start)
    ):
        chosen = decided
    return Dates(chosen, born, received, decided)


def _rank_of_date(before: str, text: str, start: int, end: int, year: int) -> int:
    if year < 2000:
        return 9
    if _DATED.search(before):
        return 0
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line = text[line_start : line_end if line_end != -1 else len(text)]
    if line.strip() == text[start:end] or (
        start < _TOP and len(line.strip()) < 90 and not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", line)
    ):
        return 2
    if _ELSEWHERE.search(before):
        return 8
    return 5 if start < _TOP else 7


def _lone_birth(letter: Letter, dated: StatedDate) -> StatedDate | None:
    """A day of the heading that is years before the letter is a birth date only beside a patient's label."""
    for day in days_in(letter.plain, 0, min(_TOP, len(letter.plain))):
        line = letter.plain[letter.plain.rfind("\n", 0, day.start) + 1 : day.start]
        if day.day.year <= dated.value.year - 10 and re.match(
            r"\s*(?:pt|patient|member|enrollee)\b", line, re.IGNORECASE
        ):
            return StatedDate(value=day.day, quote=letter.quote(day.start, day.end))
    return None


# --- payer -----------------------------------------------------------------------------------------------

_ORG = re.compile(
    r"\b(?:health\w*|insurance|assurance|mutual|medicare|medicaid|pdp|hmo|ppo|rx|pbm|pharmacy|benefits?"
    r"|fund|trust|plans?|cooperative|co-op|blue|"
    r"administrators?|partners|review|pool|alliance|association|union|authority|system|solutions|care"
    r"|options|tpa|managed|community|mco|advantage|utilization|carrier|exchange)\b",
    re.IGNORECASE,
)
_NOT_ORG = re.compile(
    r"^\W*(?:notice|re|date|dear|important|pt|name|subject|to|member|patient|page|fax|status|drug"
    r"|medication|claim response|from|sent|call log|ref|case|your|our|request|attn|attention|enrollee|this"
    r"|we|"
    r"decision|decided|pharmacy (?:review|department)|utilization|prior auth\w*|coverage|redetermination"
    r"|reconsideration|appeals?)\b",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:\||/|>|\s-\s|\s{3,}|,\s(?=(?:pharmacy|office|utilization|department|member|appeals|on behalf"
    r"|prior)\b)|\b(?:provider portal|inbox|fax\b|prior auth\w*\b).*$|\d{1,2}/\d{1,2}).*$",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"^(?P<org>[A-Z][\w'&-]+(?:[ ][A-Z][\w'&-]+){1,5})\s*\Z", re.MULTILINE)
_CALLED = re.compile(
    r"\b(?:w/|with|to|called|from|phone|rep(?:resentative)? (?:at|from))[ ]+(?P<org>[A-Z][\w'&-]+(?:["
    r" ]+(?:[A-Z][\w'&-]+|of|and))*)"
)


def payer_of(letter: Letter, known: Iterable[str] = ()) -> Stated | None:
    """Whose letter it is: a payer that is known by name, or the letterhead's."""
    text = letter.plain
    for name in sorted(known, key=len, reverse=True):
        match = re.search(re.escape(name).replace(r"\ ", r"\s+"), text, re.IGNORECASE)
        if match:
            return _stated(letter, Found(*match.span(), 0), name)
    best: Found | None = None
    at = 0
    for number, line in enumerate(text[:_TOP].split("\n")):
        for piece in re.finditer(r"\S+(?:[ ]{1,2}\S+)*", line):
            said = _TAIL.sub("", piece[0]).strip(" -=|+*#<>")
            begin = at + piece.start() + piece[0].find(said)
            if not _may_be_payer(said):
                continue
            rank = (0 if _ORG.search(said) else 3) + min(number, 6) / 2
            if (_ORG.search(said) or number < 2) and (best is None or rank < best.rank / 2):
                best = Found(begin, begin + len(said), int(rank * 2))
        at += len(line) + 1
    if best is None or best.rank > 5:
        best = _named_most(text) or best
    if best is None or best.rank > 8:
        match = _CALLED.search(text, 0, _TOP) or _SIGNED.search(text, max(0, len(text) - 300))
        return _stated(letter, Found(*match.span("org"), 0)) if match else _stated(letter, best)
    return _stated(letter, best)


def _may_be_payer(said: str) -> bool:
    if not 4 <= len(said) <= 70 or not re.match(r"[A-Za-z]", said) or said.endswith((".", ":", "?")):
        return False
    return not (_NOT_ORG.match(said) or re.search(r"\d{4}", said) or "@" in said)


def _named_most(text: str) -> Found | None:
    """The organisation that the letter names most often."""
    named: dict[str, list[Found]] = {}
    for match in re.finditer(r"(?<![\w'])[A-Z][\w&'-]+(?: [A-Z][\w&'-]+){1,4}", text):
        said = re.sub(r" (?:Appeals?|Department|Unit|Member Services)$", "", match[0])
        if (
            _ORG.search(said)
            and not _NOT_ORG.match(said)
            and not re.search(r"Part D|Medicare Prescription|Dear", said)
        ):
            named.setdefault(said, []).append(Found(match.start(), match.start() + len(said), 0))
    return max(named.values(), key=len)[0] if named else None


def _stated(letter: Letter, found: Found | None, value: str = "") -> Stated | None:
    if found is None:
        return None
    quote = letter.quote(found.start, found.end)
    return Stated(
        value=value or " ".join(letter.plain[found.start : found.end].split()).strip(" .,"), quote=quote
    )
