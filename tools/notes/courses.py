"""What a note says of a drug: taken, tried, stopped and why, worked or not, planned, declined.

Each drug of a sentence has its own stretch of words, between it and the next drug; a following sentence that
names none ("Swelling, so we stopped it.") goes on about the last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from tools.language.assertion import senses_of
from tools.notes.context import INSTRUCTION, subjects_of
from tools.notes.days import When, days_in
from tools.notes.facts import FactKind, Standing, Subject
from tools.notes.lexicon import Mention, diagnoses_in, drugs_in
from tools.notes.passages import Sentence
from tools.terminology.effects import ANY, EFFECTS


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_DOSE = (
    r"(?:\s*(?:er|xr|ir|dr)?\s*(?<!\d)\d+(?:[.,]\d+)?\s*(?:mg|mcg|g|units?|u|"
    r"tabs?)?(?:/d(?:ay)?)?\s*(?:\d\s*tabs?)?\s*(?:bid|b\.i\.d\.|daily|qd|qam|tid|qhs|weekly|nightly|"
    r"once daily|twice daily)?)*"
)
_JOINED = _words(
    rf"^\s*(?:er|xr|ir)?{_DOSE}\s*(?:,\s*and|,\s*or|and|or|nor|,|/|\+|&|plus)\s*(?:a\s+|an\s+|any\s+)?$"
)
_WEAK = _words(r",\s|\sand\s|\sor\s|\s(?=(?:we|I|he|she)\s+(?:could|would|will|can|may|might|should)\b)")

STOPPED = _words(
    r"\b(?:stop(?:ped|s|ping)?(?:\s+taking)?|quit(?:\s+taking)?|d/\s?c(?:'?e?d|'s)?|dc(?:'?d)?|"
    r"discontinu\w+|weaned off|come off|halted|replaced (?:by|with)|came off|went off|go(?:ing|ne)? off|"
    r"taken off|took (?:him|her|me|pt) off|ceased|gave up|gave it up|abandoned|withdrawn|(?:has|"
    r"have)(?:n't|nt| not) (?:used|taken) (?:it|her|his|any) since|"
    r"hasnt used it since|not taking|no longer (?:on|takes|taking|using)|finished(?= in\b|\s*$|[.,;])|"
    r"ran out|off(?=\s+(?:of\s+)?$)|\boff(?= \w+ since))\b",
)
_NOT_STOPPED = _words(r"\b(?:never|not|n't|without being)\s+(?:been\s+)?(?:stopped|discontinued|quit)")
_EFFECTS = {name: _words(words) for name, words in EFFECTS.items()}
_EFFECT = _words(ANY)
_NO_EFFECT = _words(
    rf"\b(?:no|not|without|denies|denied|never|any|free of|w/o)\s+(?:(?:led to|lead to|caused?|"
    rf"g[ai]ve|had|have|experienced?|developed?|reported?|noticed?)\s+)?(?:any\s+|more\s+|significant\s+|"
    rf"having\s+)?(?:{ANY}"
    r"(?:\s*(?:,|/|or|and)\s*)?)+(?:\s*(?:upset|side effects?|complaints?|symptoms?|issues?))?"
)
_NOT_TOLERATED = _words(
    r"(?:\b(?:not|never|cannot|can't|unable to|could ?n'?o?t|couldnt|didn't|didnt|did not|does not|doesn't|"
    r"won't)|n't)\s+(?:been able to\s+)?(?:toler\w+|handle|stand|stomach|take it|bear)|"
    r"\b(?:did not|didn't) agree with|\bdisagreed with|\bpoor toleran\w+|\bbad reaction|"
    r"\bintoleran\w+|\bnot tolerated|poorly tolerated|side effects?|adverse (?:effects?|reaction)|"
    r"(?-i:\bSEs?\b)|ma(?:de|kes) (?:her|him|me|pt|them) (?:sick|ill)|"
    r"upsets?\s+(?:his|her|my|the)"
)
_CAUSES = _words(
    r"\b(?:gave|gives|caus\w+|ma(?:de|kes)|because|bc|b/c|due to|attributed to|from|since starting|"
    r"after starting|after|on|with|upsets?|led to|resulted|developed|had)\b|->|:|\(|\s-\s|,"
)
_COUNSEL = _words(
    r"\b(?:counsel\w*|discuss\w*|review\w*|warn\w*|educat\w*|risks?|watch for|monitor for|technique|aware|"
    r"explain\w*|(?:can|may|might|could) (?:cause|lead)|common)\b"
)
_TOLERATES = _words(
    r"\btolerat(?:es|ing|ed)(?:\s+(?:it|this|her|his|the \w+|\w+))?\s*(?:very |quite )?(?:well|now|fine|ok|"
    r"okay|without)\b|\btolerating(?! poorly)|\bwell[- ]tolerated|"
    r"(?<!not )(?<!poorly )(?<!never )(?<!be )(?<!as )(?<!n't )(?<!badly )\btolerated\b(?! poorly| only)|"
    r"\btolerates\b(?=\s*(?:[.,;]|$|it\b))|\b(?:good|excellent) toleran\w+|"
    r"without\s+(?:any\s+)?(?:side effects?|difficulty|issues?|problems?)|(?<!w)w/o (?:side effects?|"
    r"problems?|issues)|"
    r"\b(?:no|denies|has no|having no)\s+(?:any\s+)?(?:GI |gi |gastrointestinal |"
    r"stomach )?(?:side effects?|GI (?:upset|complaints?|symptoms?|issues?)|adverse effects?)|"
    r"\bno (?:nausea|vomiting|diarrhea|GI)\b[^,;.]{0,20}\bwith\b"
)
_PARTIAL = _words(
    r"\bpartial(?:ly)?\b|\bsome (?:response|improvement|benefit|help)|\bimproved,? but\b|"
    r"\bmodest (?:response|improvement|benefit)|\bhelped (?:a little|some|somewhat)"
)
_ENOUGH = (
    r"(?:(?:adequate|sufficient|satisfactory|meaningful|appreciable|measurable|noticeable|notable|sustained|durable|"
    r"marked|substantial|useful|discernible|good|great|enough|desired|expected|glycemic|sign of|much of an?) )*"
)
_GAIN = (
    r"(?:responses?|benefits?|effects?(?! on)|improvements?|results?(?! (?:back|yet|available))|control|"
    r"success|reductions?|weight loss)"
)
_INADEQUATE = _words(
    r"\blittle (?:effect|benefit|response|change|help)|\bminimal (?:effect|benefit|response)|"
    r"\b(?:not (?:well )?|poorly )controlled\b|\bhas(?:n't| not) (?:helped|worked)|\b(?:was|is)n't enough|"
    r"\bw/o (?:any )?(?:effect|benefit|response|success|help)\b|\bno better\b|\bregardless\b|"
    r"\blost (?:its )?effect\w*|\bstopped working|\bwore off|\bplateau\w*|"
    r"\binadequate\w*|\bineffective\w*|\binsufficient\w*|\bfail(?:ed|ure|s|ing)?\b|\bno (?:real |clear |"
    r"lasting |significant |apparent |further )?(?:response|benefit|effect|help|good|improvement|results?|"
    r"change)\b(?! (?:yet|back|available))|"
    rf"\b(?:no|not an?|hardly any|barely any|scarcely any|next to no|scant|without any) {_ENOUGH}{_GAIN}\b|"
    rf"\b(?:poor|weak|limited|disappointing|unsatisfying|negligible|marginal) (?:\w+ic )?{_GAIN}\b|"
    rf"\b{_GAIN} (?:was|were|is|has been|remained|proved) (?:\w+ly )?(?:poor|weak|limited|disappointing|"
    r"negligible|marginal|lacking|absent)\b|"
    r"\b(?:did(?:n't| not)|could(?:n't| not)|never) (?:\w+ )?(?:bring|brought|give|gave|produced?|yield\w*|"
    r"achieved?|provided?|reach(?:ed)?|attain\w*|get|got|lead|led|result\w*)\b"
    rf"[^.;,\n]{{0,24}}\b(?:{_GAIN}|goal|target|down|under (?:control|goal|\d))\b|"
    r"\bfell short\b|\b(?:did(?:n't| not)|does(?:n't| not)|not) suffice\w*|\bto no avail\b|\bin vain\b|"
    r"\b(?:proved|was|were) (?:useless|futile|no use)\b|"
    r"\bbrought nothing\b|\bnot (?:sufficiently|adequately) (?:effective|control\w+|respon\w+)|"
    r"\bwithout (?:(?!side)\w+ )?(?:benefit|effect|improvement|success|response|results)|"
    r"\bdid(?:n't|nt| not) (?:work|help|budge|do (?:much|anything|a thing)|respond|lower|move|bring)|"
    r"\bdid nothing\b|\b(?:is|was|are)(?:n't| not) (?:doing|helping|working)|\bnot (?:effective|working|"
    r"at goal|enough)\b|\bunsatisfactory|\bsuboptimal|\bpoor (?:response|control)|\bunchanged\b|"
    r"\bdespite\b|\babove (?:goal|target)\b|"
    r"\blost no weight|\buncontrolled on|\bnever (?:worked|helped|got)|\bno weight loss|"
    r"\bno longer (?:enough|works|working|effective|sufficient)|\ba1c (?:never (?:below|under)|still|"
    r"stayed|remained|stuck)|\bunder[- ]?responded|\bnon-?respon\w+"
)
_NOT_FAILED = _words(r"\b(?:did not|didn't|has not|hasn't|never|not)\s+(?:really\s+)?fail(?:ed)?\b")
_EFFECTIVE = _words(
    r"(?<!in)\beffective\b|\b(?:doing|does|did)\s+(?:fairly |reasonably |quite |very |really )?(?:well|ok|"
    r"okay|fine|great|good)\b|\bgood (?:response|effect|control)|\bwork(?:s|ed|ing) (?:well|fine|great|"
    r"nicely)|"
    r"\b(?:well[- ]|fairly |nicely )?controlled (?:on|with)|\bstable on\b|\bat goal on|\blikes it\b|"
    r"\brespond(?:ed|ing|s) (?:well|nicely)|\b(?:much|far|so much) better\b|\bexcellent (?:response|"
    r"results)|\bhappy with\b"
)
_NEVER = _words(
    r"\b(?:never|has(?:n't| not)|have(?:n't| not)|had not|did not|hasnt|not)\s+(?:yet\s+|ever\s+|"
    r"actually\s+)?(?:been\s+)?(?:tried|took|taken|on|used|had|prescribed|filled|needed|required|given|try|"
    r"start|"
    r"take|dispensed|started)\b|"
    r"\bno (?:prior |previous |past )?(?:use|trial|history|exposure)s? (?:of|to|with)\b|\bnaive\b|"
    r"\bno prior\b|\bnever picked up|\bnever (?:re)?start"
)
_NO_DRUG = _words(r"\b(?:no|never)\s+(?:prior\s+|previous\s+|any\s+|oral\s+|other\s+)?$")
_NOT_NOW = _words(
    r"\b(?:not|isn't|is not|n't)\s+(?:currently\s+|now\s+)?(?:on|taking|using|take|use)\b|\bdenies (?:use|"
    r"taking|using)|\bnot being treated with"
)
_CONTRA = _words(
    r"\bcontra-?ind(?:icat\w+)?\b|\bshould not (?:take|receive|be (?:given|restarted|used|on))|"
    r"\bnot a candidate for|\bcannot (?:take|have|be given)|\bis to be avoided|\bavoid\b"
)
_ALLERGY = _words(r"\banaphyla\w+|\bhives\b|\burticaria|\bangio-?edema|\ballerg(?:y|ic) to\b|\ballergy\b")
_DECLINED = _words(
    r"\bdeclin(?:e|es|ed|ing)\b|\brefus(?:e|es|ed|ing)\b|\bnot interested in\b|\bdo(?:es)?(?: not|"
    r"n't) want\b|\bunwilling\b|\bwould rather not\b|\bdeferred by\b|\bsaid no to\b"
)
_WISH = _words(
    r"\b(?:wants?(?! to stop)|interested in|talked about|asks? (?:about|for|if|whether)|asking (?:about|for)|"
    r"asked (?:about|for|if|whether)|know if|can i (?:get|have|try)|would (?:also )?like to (?:try|have|"
    r"get)|"
    r"like to try|may want|heard (?:of|about)|read about|curious about|thinking about|hopes? (?:for|to)|"
    r"counsel\w*|technique|wonders? (?:about|if))\b"
)
_PLAN_BEFORE = _words(
    r"\b(?:(?:re)?start|begin|initiate|add|try|trial|order(?:ed)?|switch(?:ing)? (?:to|over to)|change to|"
    r"prescribe|rx(?:'d)?|(?<!refill )request(?:ing|ed)?|recommend(?:ed|s|ing)?|favou?r(?:s)?(?: adding|"
    r" starting)?|consider(?:ing|ed)?|"
    r"discuss(?:ed|ing)?|adding|(?<!since )(?<!after )starting|initiating|suggest(?:ed|s)?|plan(?:s|ned|"
    r"ning)?(?: to (?:start|add|try|begin))?(?: for| on)?|go(?: on)? to|"
    r"will (?:try|start|add|begin)|would (?:try|start|add|suggest)|to (?:start|begin|try|add)|agree with|"
    r"candidate for|submit(?:ting)?(?: pa)? for|pa for|prefers?|propos\w+|opt(?:ed|s)? for|"
    r"awaiting)\s+(?:(?:her|him|pt|patient|them|on|a|an|the|weekly|daily|low dose|low-dose|therapy|"
    r"treatment|with|of|adding|starting|trial|new)\s+){0,3}$"
)
_PLAN_AFTER = _words(
    r"^[^,;.]{0,30}?(?:,\s*(?=to ))?\s*(?:-\s*)?\b(?:ordered|recommended|proposed|planned|considered|"
    r"to be (?:started|submitted|ordered)|to start|to begin|discussed|prescribed|requested|not picked up|"
    r"approved|prior auth|suggested|(?:will|to) be added)\b"
)
_TRIED = _words(
    r"\b(?:tried|trialed|trial of|took|used|was (?:once |previously |formerly )?on|had been on|been on|"
    r"previously (?:on|took|used)|formerly|past use of|history of|prior|before)\b"
)
_TAKING_BEFORE = _words(
    r"(?:\b(?:on|takes?|taking|takin|using|uses|continu(?:e|es|ed|ing)(?: on| with)?|cont|stays? on|"
    r"stay on|remains? on|maintained on|discharged on|(?:treated|managed) with|use of|(?:compliance|"
    r"adherence|adherent|compliant) (?:with|"
    r"to)|currently|still|now|maxed(?: out)? on|"
    r"started|began|begun|restarted|resumed|put (?:her|him) on|placed on|(?:up|down)-?titrated|increased|"
    r"first dose|done for|pt self-administered|receives?|injects?|gets)\b\.?)\s+"
    r"(?:(?:his|her|my|the|both|only|just|max(?:imal)?|full|dose|doses|of|daily|weekly|a|an|to|back|on|up|"
    r"him|in|w/|with|already|prescribed)\s+){0,4}$"
)
_TAKING_AFTER = _words(
    r"^\s*(?:er|xr|ir)?\s*(?:(?:was|has been) (?:re)?(?:started|begun)\b|(?:is |are |"
    r"was )?(?:[-:(]?\s*(?:still |currently )?taking\b|(?:to )?continu(?:es?|ed)\b|\d{4}\s*-\s*(?:present|"
    r"now|current)|(?:increased|decreased|(?:up)?titrated|reduced|changed) to|(?!19\d\d|"
    r"20\d\d)\d{1,4}\s*(?=[.,;\n]|$)|since\b|dose (?:halved|doubled|"
    r"increased|reduced|unchanged)|"
    r"\d+(?:[.,]\d+)?\s*(?:mg|mcg|g|units?|u)\b|\d+(?:\.\d+)?\s*(?:bid|daily|qd|weekly|twice|once|po)\b|"
    r"(?:bid|daily|qd|qhs|weekly|every day|twice a day|alone|faithfully)\b))"
)
_IF = _words(r"\b(?:if|should (?:she|he|they|pt)|unless|in case|whether)\b")
_TOLD = _words(
    r"\b(?:must|advised|told|instructed|asked|plan(?:s|ned)?|will|to be|may need|need(?:s)? to|consider\w*|"
    r"should)\s+(?:\w+\s+){0,4}?$"
)
_BLAMED = _words(
    r"\b(?:dka|ketoacidosis|pancreatitis|effects?|upset|hold(?:ing)? off|held off)\s+(?:while\s+)?on\s+$"
)
_HEDGE = _words(
    r"\b(?:possibl[ey]|probabl[ey]|maybe|perhaps|might have|may have|unsure|not sure|unclear|questionable|"
    r"reportedly)\b|\?"
)
_SAYS_OTHERWISE = _words(r"\bbut (?:the )?(?:pt|patient|she|he) (?:now )?(?:states?|says?|reports?|denies)\b")
_OUTCOMES: frozenset[FactKind] = frozenset(("intolerance", "inadequate", "partial", "effective"))
_LOOK_BACK = 2  # sentences
_SHORT = 6  # words of a sentence that goes on about the last drug


class MedicationAssertion(NamedTuple):
    """What is said of one drug. `start` and `end` are of the words that say it."""

    kind: FactKind
    of: str
    start: int
    end: int
    drug: str
    present: bool = True
    subjects: tuple[Subject, ...] = ("self",)
    status: Standing = "current"
    hedged: bool = False
    detail: str = ""
    began: date | None = None
    ended: date | None = None
    when: str = ""


class _Stretch(NamedTuple):
    """The words about one drug, or several that are named in one breath."""

    drugs: tuple[Mention, ...]
    start: int
    end: int


class _Say(NamedTuple):
    kind: FactKind
    cues: tuple[tuple[int, int], ...] = ()
    present: bool = True
    status: Standing = "current"
    detail: str = ""


def courses_told(text: str, sentences: Sequence[Sentence], written: date | None) -> list[MedicationAssertion]:
    """Everything that is said of drugs, in its order."""
    told: list[MedicationAssertion] = []
    last: tuple[_Stretch, Sentence, int] | None = None
    for index, sentence in enumerate(sentences):
        if INSTRUCTION.search(text, sentence.start, sentence.end) or _ASKED.match(
            text[sentence.start : sentence.end]
        ):
            last = None
            continue
        stretches = _stretches(text, sentence)
        for stretch in stretches:
            told += _tell(text, sentence, stretch, written)
        if stretches:
            last = (stretches[-1], sentence, index)
        elif (
            last is not None
            and index - last[2] <= _LOOK_BACK
            and _goes_on(text, sentence, sentences[last[2] + 1 : index + 1])
        ):
            more = _tell(text, sentence, _Stretch(last[0].drugs, sentence.start, sentence.end), written)
            more = [
                item for item in more if item.kind in _OUTCOMES | {"stopped"} and item.status != "planned"
            ]
            told, more = _dated(told, more, last[1])
            told = [old for old in told if not any(_weaker(old, new, last[1]) for new in more)] + more
    return told


def _dated(
    told: list[MedicationAssertion], more: list[MedicationAssertion], sentence: Sentence
) -> tuple[list[MedicationAssertion], list[MedicationAssertion]]:
    """ "I stopped it on 8/1" after what it did: the same course, and now its end."""
    kept = []
    for new in more:
        at = next(
            (
                i
                for i, old in enumerate(told)
                if old.of == new.of and old.kind in _OUTCOMES and old.present and old.start >= sentence.start
            ),
            None,
        )
        if new.kind != "stopped" or at is None:
            kept.append(new)
        elif told[at].ended is None:
            told[at] = told[at]._replace(ended=new.ended, when=new.when)
    return told, kept


_ASKED = _words(r"^\s*(?:do|does|can|could|would|should|is|are|what|which|will|may|when|how)\b[^?]*\?\s*$")


def _goes_on(text: str, sentence: Sentence, since: Sequence[Sentence]) -> bool:
    """A sentence that names no drug and still speaks of the last one."""
    said = text[sentence.start : sentence.end]
    if any(item.fresh or item.section == "family" for item in since):
        return False
    if [found for found in diagnoses_in(text, sentence.start, sentence.end) if found.of != "pancreatitis"]:
        return False
    return len(said.split()) <= _SHORT


def _weaker(old: MedicationAssertion, new: MedicationAssertion, sentence: Sentence) -> bool:
    return (
        old.of == new.of
        and old.start >= sentence.start
        and old.present
        and new.present
        and (old.kind in ("tried", "stopped") or (old.kind == "taking" and old.status == "current"))
        and new.subjects == old.subjects
    )


def _stretches(text: str, sentence: Sentence) -> list[_Stretch]:
    drugs = drugs_in(text, sentence.start, sentence.end)
    groups: list[list[Mention]] = []
    for drug in drugs:
        if groups and _JOINED.match(text[groups[-1][-1].end : drug.start]):
            groups[-1].append(drug)
        else:
            groups.append([drug])
    stretches, begin = [], sentence.start
    for group, following in zip(groups, [*groups[1:], None], strict=False):
        end = sentence.end if following is None else _cut(text, group[-1].end, following[0].start)
        if sentence.section == "allergies" and (item := text.find(";", group[-1].end, end)) != -1:
            end = item
        own = _end_of_theirs(text, begin, group[-1].end, end)
        stretches.append(_Stretch(tuple(group), begin, own))
        if own < end:
            stretches.append(_Stretch(tuple(group), own, end))
        begin = end
    return stretches


def _end_of_theirs(text: str, begin: int, at: int, end: int) -> int:
    """Of somebody else's drug: where the words come back to the patient, "mother takes it; pt has not used it"."""
    if senses_of(text[begin:at]).isdisjoint(("family", "other")):
        return end
    back = _BACK.search(text, at, end)
    return back.start() if back else end


_BACK = _words(r"[;,]\s+(?:but |and )?(?=(?:the |our )?(?:pt|patient)\b)")


def _cut(text: str, start: int, end: int) -> int:
    """Where the words about one drug end and those about the next begin."""
    if (item := text.find(";", start, end)) != -1:
        return item
    weak = [match.start() for match in _WEAK.finditer(text, start, end)]
    return weak[-1] if weak else end


def _tell(
    text: str, sentence: Sentence, stretch: _Stretch, written: date | None
) -> list[MedicationAssertion]:
    first, last = stretch.drugs[0], stretch.drugs[-1]
    begin, end = stretch.start, stretch.end
    if otherwise := _SAYS_OTHERWISE.search(text, begin, end):
        begin = otherwise.start()
    said = _classify(text, sentence, begin, end, first, last)
    found: list[MedicationAssertion] = []
    for say in said:
        own = [cue for cue in say.cues if cue[1] > cue[0]]
        for drug in stretch.drugs:
            inside = stretch.start <= drug.start < stretch.end
            anchors = [*own, (drug.start, drug.end)] if inside or not own else own
            start, stop = min(a for a, _ in anchors), max(b for _, b in anchors)
            subjects = subjects_of(
                text, sentence, drug.start if inside else start, drug.end if inside else start, "drug"
            )
            days = days_in(text, written, stretch.start, stretch.end)
            began, ended, when = _dates(text, say.kind, days)
            hedged = inside and bool(_HEDGE.search(text, begin, first.start))
            name, form = text[drug.start : drug.end], _form(text, drug)
            if form:
                name, stop = f"{name} {form[0].strip().upper()}", max(stop, drug.end + form.end())
            found.append(MedicationAssertion(
                say.kind, drug.of, start, stop, name, say.present, subjects, say.status, hedged, say.detail, began,
                ended, when,
            ))  # fmt: skip
    return found


def _form(text: str, drug: Mention) -> re.Match[str] | None:
    return re.match(r"\s+(?:ER|XR|IR)\b", text[drug.end : drug.end + 4], re.IGNORECASE)


def _classify(
    text: str, sentence: Sentence, begin: int, end: int, first: Mention, last: Mention
) -> list[_Say]:
    """What the words [begin, end) say of the drugs from `first` to `last`, the most telling thing alone, and
    whether they are tolerated."""
    inside = begin <= first.start < end
    before = text[begin : first.start] if inside else ""
    after = text[last.end : end] if inside else ""
    counsel = _COUNSEL.search(text, begin, end)

    def seek(pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.search(text, begin, end)

    never = seek(_NEVER)
    stop = seek(STOPPED)
    if stop is not None and seek(_NOT_STOPPED):
        stop = None
    if _IF.search(text, begin, end) and (
        stop or not (_PLAN_BEFORE.search(before) or seek(_words(r"\b(?:go|went|would)\b")))
    ):
        return []
    effect = None if counsel else _effect(text, begin, end)
    bad = None if counsel else seek(_NOT_TOLERATED)
    good = seek(_TOLERATES)
    if good is not None and bad is not None and good.start() <= bad.start() < good.end():
        bad = _NOT_TOLERATED.search(text, good.end(), end)
    if bad is not None and _negated(text, begin, bad):
        bad, good = None, good or bad
    tolerated = (
        [_Say("intolerance", ((good.start(), good.end()),), present=False)] if good is not None else []
    )
    allergic = seek(_ALLERGY)
    if allergic is not None and not _negated(text, begin, allergic):
        return [_Say("allergy", (allergic.span(),))]
    told_to = stop is not None and bool(_TOLD.search(text[begin : stop.start()]))
    if bad is not None or (
        effect is not None and (stop or _caused(text, begin, end, first, last, effect, inside, sentence))
    ):
        cues = tuple(match.span() for match in (bad, effect, stop) if match is not None)
        return [_Say("intolerance", cues, status="history", detail=_detail(text, effect, begin, end))]
    if not_failed := seek(_NOT_FAILED):
        ran = _words(r"\bran out\b").search(text, not_failed.end(), end)
        more = [_Say("stopped", (ran.span(),), status="history")] if ran else []
        return [_Say("inadequate", (not_failed.span(),), present=False), *more]
    declined = seek(_DECLINED)
    planned = _PLAN_BEFORE.search(before) if inside else None
    planned_after = _PLAN_AFTER.match(after) if inside else None
    if declined is not None:
        return [_Say("taking", (declined.span(),), status="declined")]
    if partial := seek(_PARTIAL):
        return [_Say("partial", (partial.span(),), status="history"), *tolerated]
    poor = seek(_INADEQUATE)
    if poor is not None and not planned and not _negated(text, begin, poor):
        return [_Say("inadequate", (poor.span(),), status="history"), *tolerated]
    contra = seek(_CONTRA)
    if contra is not None and _negated(text, begin, contra):
        return []
    if contra is not None:
        return [_Say("contraindicated", (contra.span(),))]
    if never is not None and (planned is None or never.start() <= begin + planned.start() < never.end()):
        return [_Say("tried", (never.span(),), present=False)]
    if inside and _NO_DRUG.search(before):
        return [_Say("tried", ((first.start, first.start),), present=False)]
    not_now = seek(_NOT_NOW)
    if not_now is not None:
        return [_Say("taking", (not_now.span(),), present=False)]
    if stop is not None and not told_to:
        imperative = sentence.section == "plan" or (
            not text[begin : stop.start()].strip(" -*#\n\t") and stop[0].casefold() == "stop"
        )
        return [_Say("stopped", (stop.span(),), status="planned" if imperative else "history")]
    if stop is not None and not (planned or planned_after):
        return []
    if planned or planned_after:
        if planned_after and not planned and _WISH.search(before) and "to start" not in after:
            return []
        cue = (begin + planned.start(), first.start) if planned else (last.end, last.end)
        return [_Say("taking", (cue,), status="planned")]
    well = seek(_EFFECTIVE)
    if well is not None and not _negated(text, begin, well):
        return [_Say("effective", (well.span(),)), *tolerated]
    if not inside:
        return tolerated
    if _WISH.search(before):
        return []
    return [*_taken(text, sentence, before, after, begin, first, last), *tolerated]


def _taken(
    text: str, sentence: Sentence, before: str, after: str, begin: int, first: Mention, last: Mention
) -> list[_Say]:
    if sentence.section == "copied":
        return []
    taking = _TAKING_BEFORE.search(before)
    tried = _TRIED.search(before)
    if tried is not None:
        return [_Say("tried", ((begin + tried.start(), begin + tried.end()),), status="history")]
    if sentence.section in ("past_meds", "failed"):
        return [_Say("tried" if sentence.section == "past_meds" else "inadequate", status="history")]
    if taking is not None and _BLAMED.search(before):
        return []
    if taking is not None:
        return [_Say("taking", ((begin + taking.start(), first.start),))]
    if (
        sentence.section == "plan"
        and not before.strip(" -*\n")
        and not re.sub(_DOSE, "", after, flags=re.IGNORECASE).strip(" .;\n")
    ):
        return [_Say("taking", status="planned")]
    follows = _TAKING_AFTER.match(after)
    if follows is not None or sentence.section == "meds":
        return [_Say("taking", ((last.end, last.end + (follows.end() if follows else 0)),))]
    return []


def _effect(text: str, begin: int, end: int) -> re.Match[str] | None:
    """An adverse effect that is not denied."""
    denied = [match.span() for match in _NO_EFFECT.finditer(text, begin, end)]
    for match in _EFFECT.finditer(text, begin, end):
        if match[0].casefold() == "keep food down" or not any(a <= match.start() < b for a, b in denied):
            return match
    return None


def _caused(
    text: str,
    begin: int,
    end: int,
    first: Mention,
    last: Mention,
    effect: re.Match[str],
    inside: bool,
    sentence: Sentence,
) -> bool:
    """Whether the words lay the effect to the drug."""
    if not inside:
        return False
    if sentence.section == "allergies":
        return True
    low, high = (last.end, effect.start()) if effect.start() >= last.end else (effect.end(), first.start)
    between = text[low:high]
    if re.search(r"\b(?:resolved|better|improved|first week|initial\w*)\b", text[begin:end], re.IGNORECASE):
        return False
    return len(between.split()) <= 9 and bool(_CAUSES.search(between) or not between.strip())


def _negated(text: str, begin: int, match: re.Match[str]) -> bool:
    before = text[max(begin, match.start() - 18) : match.start()]
    return bool(
        re.search(r"\b(?:no|not|never|without|denies|n't|any)\s+(?:\w+\s+)?$|w/o\s+$", before, re.IGNORECASE)
    )


def _detail(text: str, effect: re.Match[str] | None, begin: int, end: int) -> str:
    for name, pattern in _EFFECTS.items():
        if pattern.search(text, begin, end) if effect is None else pattern.search(effect[0]):
            return name
    return "other"


def _dates(text: str, kind: FactKind, days: list[When]) -> tuple[date | None, date | None, str]:
    """When it began and when it ended, as far as the words beside the days tell."""
    began = ended = None
    words: list[str] = []
    for index, day in enumerate(days):
        lead = text[max(0, day.start - 22) : day.start]
        words.append(day.words)
        opens = re.search(r"\b(?:since|from|start\w*|beg[au]n|on)\s*(?:\w+\s*)?$", lead, re.IGNORECASE)
        closes = re.search(
            r"(?:\b(?:to|until|till|through|thru|stopped|d/?c'?d?|discontinued|off|off it|it|dc'?d?)|-|"
            r"stopped (?:it |this )?on|it on|discontinued on)\s*$",
            lead,
            re.IGNORECASE,
        )
        ranged = index + 1 < len(days) and re.fullmatch(
            r"\s*(?:-|to|until|through|thru)\s*", text[day.end : days[index + 1].start], re.IGNORECASE
        )
        if closes and began is None and kind != "taking":
            ended = day.day
        elif ranged or (opens and kind in ("taking", "tried", "effective") and began is None):
            began = day.day
        elif closes or (kind in ("stopped", "intolerance", "inadequate") and ended is None):
            ended = day.day
    return began, ended, " ".join(words)
