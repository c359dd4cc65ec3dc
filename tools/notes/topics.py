"""What a note says beside drugs and values: diagnoses, statements, programmes and procedures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from tools.notes.context import Context, clause_of, context, subjects_of
from tools.notes.days import days_in
from tools.notes.facts import FactKind, Standing, Subject
from tools.notes.lexicon import ACUTE, Mention, diagnoses_in
from tools.notes.passages import Sentence


class Noted(NamedTuple):
    """Something said at [start, end) of the plain text."""

    kind: FactKind
    of: str
    start: int
    end: int
    present: bool = True
    subjects: tuple[Subject, ...] = ("self",)
    status: Standing = "current"
    hedged: bool = False
    detail: str = ""
    day: date | None = None
    began: date | None = None
    when: str = ""


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_PAST = _words(
    r"\b(?:h/o|hx(?: of)?|history of|prior|previous(?:ly)?|remote|old|past|had|s/p|after)\W+(?:\w+\W+){0,3}$"
)
_OVER = _words(r"^[^.;\n]{0,45}?\b(?:resolved|in remission|years ago|cured|no longer)\b")
_YEAR = _words(r"^[^.;\n,]{0,12}?(?:, )?(?:\bin )?\(?(?:\d\d?/)?(?:19|20)\d\d\b")


def diagnoses_told(text: str, sentences: Sequence[Sentence]) -> Iterator[Noted]:
    """Diagnoses with their context: denied, of a relative, possible, over."""
    for sentence in sentences:
        mentions = _joined(text, diagnoses_in(text, sentence.start, sentence.end))
        for mention in mentions:
            seen = context(text, sentence, mention.start, mention.end)
            if seen.supposed:
                continue
            status: Standing = "history" if _is_past(text, sentence, mention, seen) else "current"
            yield Noted(
                "diagnosis", mention.of, mention.start, mention.end, seen.present, seen.subjects, status, seen.hedged
            )  # fmt: skip


_OR = _words(r"\s*(?:/|,|or|and|,? or|nor|&|,? and)\s*")


def _joined(text: str, mentions: list[Mention]) -> list[Mention]:
    """MTC/MEN 2 is one thing."""
    found: list[Mention] = []
    for mention in mentions:
        if found and found[-1].of == mention.of and _OR.fullmatch(text[found[-1].end : mention.start]):
            found[-1] = found[-1]._replace(end=mention.end)
        else:
            found.append(mention)
    return found


def _is_past(text: str, sentence: Sentence, mention: Mention, seen: Context) -> bool:
    if not seen.present or seen.hedged or "self" not in seen.subjects:
        return False
    begin, _ = clause_of(text, sentence, mention.start)
    before, after = text[begin : mention.start], text[mention.end : sentence.end]
    if _OVER.match(after):
        return True
    if mention.of not in ACUTE:
        return False
    return bool(_PAST.search(before) or _YEAR.match(after))


# --- statements -----------------------------------------------------------------------------------------

_SPECIALTY = (
    r"(?P<specialty>endocrin\w*|cardiolog\w*|bariatric\w*|obesity medicine|hepatolog\w*|nephrolog\w*|"
    r"sleep medicine)"
)
_CONSULT = _words(
    rf"\b(?:seen|evaluated|followed|saw|consult(?:ed|ation)?|managed|see|seeing)\b(?:[^.;\n]|\b(?:mr|mrs|"
    rf"ms|dr)\.){{0,60}}?\b{_SPECIALTY}|\b{_SPECIALTY.replace('specialty', 'clinic')}\s+(?:clinic|office|"
    rf"consult\w*|visit)\b[^.;\n]{{0,40}}?\b(?:seen|evaluated|\d)"
)
_REFER = _words(rf"\b(?:refer(?:ral|red)?(?: to)?|consult to)\b[^.;\n]{{0,25}}?\b{_SPECIALTY}")
_ADHERES = _words(
    r"\b(?:no|not|never|has not|hasn't)\s+(?:missed|missing|misses|skipp\w+|"
    r"skips)(?:\s+(?:any\s+)?doses?)?|\bgood (?:adherence|compliance)|\badheren(?:ce|"
    r"t)\b[^.;\n]{0,30}\b(?:good|excellent|full)|"
    r"\b(?:is|remains|fully|been)\s+(?:adherent|compliant)\b|\bas prescribed every\b|"
    r"\bwithout (?:any )?miss(?:ing|ed)\w*|\bnever miss\w*|"
    r"\bden(?:ies|ied) (?:any )?(?:miss\w+|skipp\w+)"
)
_LAPSES = _words(
    r"\b(?:skips?|misses|missing|forgets?)\b[^.;\n]{0,40}|\b(?:non-?adheren\w*|non-?complian\w*|"
    r"poor (?:adherence|compliance))"
)
_DIET = _words(r"\b(?:diet|kcal|calorie|cal/day|low[- ]carb|eats|eating|meal plan|weight watchers meals)\b")
_MOVES = _words(r"\b(?:walk(?:s|ing)?|exercis\w+|gym|swim\w*|pool|bik(?:es|ing)|runs|jog\w*|yoga|activity)\b")
_FOLLOWS = _words(
    r"\b(?:follows?|following|eats|eating|keeps|on a|adheres)\b|\b(?:walks|exercises|swims)\b|"
    r"\d\s*x\s*/\s*w(?:ee)?k|(?:times|days) (?:a|per) week"
)
_DRY = _words(
    r"\b(?:no|denies|never)\s+(?:alcohol|etoh|drinking)\b|\b(?:alcohol|etoh)(?: use)?\s*[:-]?\s*(?:none|no|"
    r"denies|never|negative|rare(?:ly)?|minimal|occasional(?:ly)?)\b|\b(?:does not|doesn't) drink\b|"
    r"\bnon-?drinker|"
    r"\bdrinks\b[^.;\n]{0,40}\b(?:(?:a|per) (?:month|year)|rarely|occasions?|holidays|only on)|"
    r"\brarely drinks|\bsocial drinker"
)
_PAP = _words(r"\b(?:cpap|bipap|apap|pap (?:therapy|machine))\b")
_PAP_USED = _words(
    r"\b(?:on|uses?|using|tried|trial(?:ed)?|toler\w+|nightly|compliant|adherent|intoleran\w+|wears|"
    r"stopped)\b"
)


def statements_told(text: str, sentences: Sequence[Sentence], written: date | None) -> Iterator[Noted]:
    """What a prescriber could be asked to state: adherence, diet and exercise, a specialist's visit, alcohol, PAP."""
    for sentence in sentences:
        start, end = sentence.start, sentence.end
        if match := _REFER.search(text, start, end):
            specialty = match["specialty"].casefold()
            yield Noted("statement", "specialist_consult", *match.span(), status="planned", detail=specialty)
        elif match := _CONSULT.search(text, start, end):
            detail = (match["specialty"] or match["clinic"]).casefold()
            days = days_in(text, written, match.start(), end)
            day = days[0].day if days else None
            yield Noted("statement", "specialist_consult", *match.span(), detail=detail, day=day)
        for pattern, of, present in ((_ADHERES, "adherent", True), (_LAPSES, "adherent", False)):
            match = pattern.search(text, start, end)
            if (
                match
                and not _OF_SOMETHING_ELSE.match(text[match.end() : end])
                and (present or not _ADHERES.search(text, start, end))
                and not _IF_OR_TOLD.search(text, start, match.start())
            ):
                whose = subjects_of(text, sentence, *match.span(), "statement")
                yield Noted("statement", of, *match.span(), present=present, subjects=whose)
        diet, moves = _DIET.search(text, start, end), _MOVES.search(text, start, end)
        if diet and moves and _FOLLOWS.search(text, start, end):
            a, b = min(diet.start(), moves.start()), max(diet.end(), moves.end())
            yield Noted(
                "statement", "diet_exercise", a, b, subjects=subjects_of(text, sentence, a, b, "statement")
            )
        if match := _DRY.search(text, start, end):
            yield Noted(
                "statement",
                "low_alcohol",
                *match.span(),
                subjects=subjects_of(text, sentence, *match.span(), "statement"),
            )
        pap = _PAP.search(text, start, end)
        if pap and _PAP_USED.search(text, start, end):
            used = _PAP_USED.search(text, start, end)
            assert used is not None
            span = (min(pap.start(), used.start()), max(pap.end(), used.end()))
            if span[1] - span[0] > 60:
                span = pap.span()
            yield Noted(
                "statement",
                "pap_tried",
                *span,
                subjects=subjects_of(text, sentence, *pap.span(), "statement"),
            )


_OF_SOMETHING_ELSE = _words(
    r"\s*(?:with|to) (?:the |his |her )?(?:cpap|bipap|pap|diet|exercise|visits?|appointments?|follow)"
)
_IF_OR_TOLD = _words(r"\b(?:if|when|whether|counsel\w*|advis\w*|told|do not|don't)\b")


# --- programmes and procedures --------------------------------------------------------------------------

_PROGRAMME = _words(
    r"\b(?:weight(?:[- ](?:loss|management|control))?|lifestyle|diet(?:ary)?|nutrition|wellness|exercise|"
    r"diabetes prevention|behaviou?r\w*|healthy living)\s+"
    r"(?:\w+\s+){0,2}?(?:program(?:me)?|class(?:es)?|course|group|sessions)\b|\bweight watchers\b|"
    r"(?-i:\bWW\b)|\bnoom\b|\bjenny craig\b|(?-i:\bDPP\b)|\boptavia\b"
)
_TAKES_PART = _words(
    r"\b(?:attend\w*|enrol\w*|began|started|joined|complet\w+|finish\w+|participat\w*|in the|taking part|"
    r"since|sessions|member|did|lost|regained|attempts?|tried|for \d+ (?:weeks|months))\b"
)
_NOT_YET = _words(
    r"\b(?:consider\w*|will join|will start|plan\w*|discuss\w*|next (?:spring|month|year|fall)|not started|"
    r"interested|wants|refer\w*|thinking|recommend\w*|may join|to join|would like)\b"
)
_FINISHED = _words(r"\b(?:complet\w+|finish\w+|did)\b")

_PROCEDURES = {
    "sleep_study": _words(
        r"\b(?:home sleep (?:apnea )?(?:test|study)|sleep stud(?:y|ies)|polysomno\w+)\b|(?-i:\bPSG\b)|"
        r"(?-i:\bHST\b)"
    ),
    "echo": _words(r"\b(?:echo(?:cardiogram)?|tte)\b"),
    "liver_biopsy": _words(r"\bliver biopsy\b"),
    "bariatric_surgery": _words(
        r"\b(?:bariatric surgery|gastric (?:bypass|sleeve|band\w*)|sleeve gastrectomy|lap[- ]band)\b"
    ),
    "thyroidectomy": _words(r"\bthyroidectomy\b"),
}
_TO_COME = _words(
    r"\b(?:order\w*|schedul\w*|next week|pending|to be|due|refer\w*|awaiting|will|plan\w*|consider\w*|"
    r"needs?|request\w*|discuss\w*)\b"
)


def programmes_told(text: str, sentences: Sequence[Sentence], written: date | None) -> Iterator[Noted]:
    """Structured programs of diet and exercise; a mention that nobody takes part in is none."""
    for sentence in sentences:
        seen: set[Standing] = set()
        for match in _PROGRAMME.finditer(text, sentence.start, sentence.end):
            begin, stop = sentence.start, sentence.end
            before = text[begin : match.start()]
            status: Standing
            if _NOT_YET.search(text, begin, stop):
                status = "planned"
            elif _FINISHED.search(before):
                status = "done"
            elif _TAKES_PART.search(text, begin, stop):
                status = "current"
            else:
                continue
            if status in seen:
                continue
            seen.add(status)
            days = days_in(text, written, begin, stop)
            began = days[0].day if days else None
            ended = days[1].day if len(days) > 1 else None
            whose = subjects_of(text, sentence, *match.span(), "program")
            yield Noted(
                "programme", "lifestyle", *match.span(), True, whose, status, day=ended, began=began,
                when=" ".join(day.words for day in days),
            )  # fmt: skip


def procedures_told(text: str, sentences: Sequence[Sentence], written: date | None) -> Iterator[Noted]:
    """Studies and operations, done or to come."""
    for sentence in sentences:
        for of, pattern in _PROCEDURES.items():
            match = pattern.search(text, sentence.start, sentence.end)
            if match is None:
                continue
            seen = context(text, sentence, *match.span(), "procedure")
            begin, stop = clause_of(text, sentence, match.start())
            nearby = text[max(begin, match.start() - 25) : min(stop, match.end() + 25)]
            status: Standing = (
                "planned"
                if seen.supposed or sentence.section == "plan" or _TO_COME.search(nearby)
                else "done"
            )
            days = (
                []
                if status == "planned"
                else days_in(text, written, match.end(), min(sentence.end, match.end() + 24))
            )
            hedged = bool(
                re.search(r"\bthinks?\b|\bmaybe\b", text[sentence.start : sentence.end], re.IGNORECASE)
            )
            yield Noted(
                "procedure", of, *match.span(), seen.present, seen.subjects, status, hedged,
                day=days[0].day if days else None,
            )  # fmt: skip
