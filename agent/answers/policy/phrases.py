"""How questions about a policy speak: of sections, of drugs tried, of deadlines; and what words any question uses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from agent.answers.policy.subjects import CLASS_WORDS, SUBJECTS

Section = Literal["criteria", "documentation", "quantity", "authorization", "renewal", "exclusions", "appeal"]


SECTIONS: tuple[tuple[Section, str], ...] = (
    (
        "appeal",
        r"appeal|denial|denied|den(?:y|ies) it|turned (?:us )?down|reject|grievance|redetermin|reconsider|fair hearing"
        r"|peer.to.peer|\bp2p\b|doctor.to.doctor|external review|outside review|independent review|third.party review"
        r"|overturn|dispute|contest\b|challenge|upheld|medical director|plan physician",
    ),
    (
        "quantity",
        r"quantit|supply limit|\bcap\b|how many|(?:pills?|tablets?) (?:a|per) day|injector|liquid"
        r"|how much (?:is|per|can|will they)|per (?:month|fill|28|30)|a month\b|\bpens?\b|tablets?\b|\bml\b"
        r"|limit\b|maximum|\bmax\b|early refill|refill|allot|emergency supply|mail.order|samples?\b|coupon"
        r"|starting dose"
        r"|introductory|strengths?\b|two (?:a|at)|ninety|per claim",
    ),
    (
        "authorization",
        r"time.?frame|response time|when (?:do|will|does) (?:they|the \w+) (?:decide|answer|respond)"
        r"|plan year|non-?formulary|outside the formulary|(?:renewal|approval"
        r"|authorization) term|how long[^.?]*(?:approv|authoriz|good|valid|last|permission|\bok\b|certif)"
        r"|(?:approv|authoriz|certif)\w*"
        r" (?:length|period|last|good|span|duration)|length of|duration of|for how long|months is the"
        r"|run out|valid until"
        r"|how (?:fast|soon|quick)|turnaround|decision time|(?:decide|answer|review|process)\w*[^.?]*(?:request|time)"
        r"|how long[^.?]*(?:decide|decision|determination|answer|review)|renewal (?:period|last)|expedit|urgent"
        r"|second.year|follow-up approval|how many months",
    ),
    (
        "renewal",
        r"renew|reauth|re-?certif|re-?approv|continu|extend|keep getting|go on\b|stay approved|ongoing|second year"
        r"|yearly check|maintenance|stay on",
    ),
    (
        "documentation",
        r"document|attach|(?:file|request) contain|accompan|prove\b|enclose|\bsend\b|\bsubmit|include|paper"
        r"|proof|\bnotes?\b"
        r"|\breport|printout|fill (?:history|record)"
        r"|pharmacy (?:claims|fill)|claims? (?:history|data)|refill record|copy|certificate|evidence"
        r"|go with the request"
        r"|chart entry",
    ),
    (
        "exclusions",
        r"exclu|rules? (?:\w+ )?out|contraindic|disqualif|not covered|cannot get|can't get|refus|reason to"
        r"|stops? (?:it|her|him)"
        r"|bar(?:s|red)\b|prohibit|restrict",
    ),
    (
        "criteria",
        r"criteri|require|qualif|need|must|count\b|threshold|cutoff|minimum|eligib|covered for|get it",
    ),
)


WHOLES: tuple[Section, ...] = ("exclusions", "documentation", "renewal", "criteria")


WHOLE = re.compile(
    r"criteria|requirements?\b|what does (?:it|the (?:policy|plan|payer)) (?:say|want|require|ask)"
    r"|what (?:do|does) (?:they|"
    r"it|the \w+) (?:want|require|need|ask)|what rules|what excludes|exclusions"
    r"|(?:what|who|whom)\b[^?]{0,40}\bexclude[sd]?\b|which (?:documents?"
    r"|documentation|papers)|contraindicated situations|make them refuse|what (?:would|can|could) stop"
    r"|paperwork|(?:documents?|documentation|records) (?:are |is )?(?:needed|required)|documents for"
    r"|(?:file|request) contain|what (?:has|have) to (?:accompany|be sent|go)"
    r"|what (?:documents?|documentation|papers|paperwork|must|do we (?:have to )?(?:send|attach|submit))",
    re.IGNORECASE,
)


LOOSE = frozenset(("criteria", "documentation", "exclusions"))
FOR_A_USE = frozenset(("documentation", "authorization", "quantity"))


STEP = re.compile(
    r"\bsteps?\b(?!-down)|fail\w*[ -]first|first.line|\btr(?:y|ies|ied)\b|(?<!clinical )\btrials?\b"
    r"|prior (?:\w+ )?(?:therap|drug|treat|medic|agent)|\bfail"
    r"|beforehand|(?:tried|try|used?|required|come|needed|have|him|her|it|generic|drug|pill|\w+ide|\w+ance) first\b"
    r"|before (?:it|this|that|they|moving|approv)|earlier (?:on|drug|therap|treatment)"
    r"|(?:other|another) (?:drug|treatment|medic)|(?:weeks|months|days|long) on\b|moving on",
    re.IGNORECASE,
)


STOMACH = re.compile(
    r"intoleran|tolerate|side.effect|nause|vomit|thr(?:ow|ew) up|throw(?:s|ing) up|diarrh|cramp|bloat|upset"
    r"|\bgi\b|loose stool",
    re.IGNORECASE,
)


_SUFFERED = re.compile(
    r"intoleran|tolerate\b|(?:off|stopp?|made|gave|forced|count|accept|after|because)[^?]*(?:side.effect|nause|vomit|diarrh|cramp"
    r"|upset|throw|threw|stool)|(?:side.effect|nause|vomit|diarrh|cramp|upset|thr[eo]w|stool)[^?]*(?:off|stopp?|count|accept)",
    re.IGNORECASE,
)


ALLERGY = re.compile(r"allerg|hypersens|hives|anaphyl|swollen|\brash", re.IGNORECASE)


TOGETHER = re.compile(
    r"together|combin|\bwith\b|stay on|both\b|at once|same time|overlap|stack|while (?:taking|on)|still (?:on|taking)"
    r"|already on|on .* at present|concurren|alongside|in addition",
    re.IGNORECASE,
)


CHANGED = re.compile(
    r"\bchange\b|\bfell\b|\bfall|drop|went from|\bfrom \d[\d.]* to \d|improve|decrease|reduc|lost|lose",
    re.IGNORECASE,
)


ON_FILE = re.compile(
    r"on (?:file|record)|in the chart|be measured|been measured|how (?:fresh|current|recent)", re.IGNORECASE
)


AROUND = re.compile(
    r"around|alternative|substitute|waive|bypass|instead|skip|exempt|still (?:need|have)|without|way (?:out|round)",
    re.IGNORECASE,
)


BENEFIT = re.compile(
    r"(?:pay(?:s|ing)? for|covers?|cover|reimburs\w*) (?:a |an |the |her |his |my |any )?(?:\w+ )?(?:dietit"
    r"|nutrition|gym|c?pap\b"
    r"|device|machine|class|membership|training|coach|visit|weight watchers)|(?:gym|coach|dietit|c?pap\b"
    r"|device|class)\w*(?: \w+)?"
    r" (?:be |is |are )?(?:cover|reimburs|includ)",
    re.IGNORECASE,
)


# Tests that no criterion is about, although it is about what they test for.
TESTED = re.compile(
    r"(?:pregnancy|thyroid|cholesterol|lipid|liver|stress|allergy|genetic) (?:function )?test", re.IGNORECASE
)


# How many are denied: no policy counts its decisions.
OFTEN = re.compile(
    r"\bhow (?:often|common|frequent)\w*\b[^?]*\b(?:den\w+|approv\w+|reject\w+|refus\w+|turn(?:ed)? down)"
    r"|\bhow many (?:people|patients|members|requests|cases)\b"
    r"|\b(?:percent\w*|share|proportion|fraction) of\b[^?]*\b(?:requests|patients|people|members|cases)\b"
    r"|\b(?:denial|approval|rejection|refusal|success) rates?\b",
    re.IGNORECASE,
)


MENTION = re.compile(
    r"mention|say (?:anything|something) about|speak of|talk about|address\b|how to\b", re.IGNORECASE
)


EXCLUDED = re.compile(r"exclu", re.IGNORECASE)


BY_KIND = (
    (ALLERGY, "allergy", "an allergy"),
    (_SUFFERED, "intolerance", "intolerance"),
    (STEP, "trial", "an earlier drug"),
)


ASKS = {
    "next": r"(?:after|beyond) the|next level|comes (?:next|after)",
    "exception": r"exception|more than|exceed|over the|larger",
    "limit": r"how many|how much|limit\b|quantit|max|per (?:month|fill)|a month|allot|pens?\b|tablets?\b",
    "starting": r"starting|introductory|lowest|0\.25|2\.5 mg",
    "initial": r"initial|first|approv|permission|\bok\b|certif|for how long|authoriz",
    "beyond": r"plan year",
    "formulary": r"formulary",
    "renewal": r"renewal (?:period|last|good)|renewal\b|reauth|extension|second|follow-up|next"
    r"|later approval|re-?certif",
    "review": r"response time|when (?:do|will)|how (?:fast|soon|quick)|turnaround|decide|decision|answer"
    r"|review|expedit|urgent"
    r"|determination|how long[^.?]*plan",
    "deadline": r"how (?:long|many days)|deadline|when|last day|too late|window|time (?:left|limit)|days to",
    "peer": r"peer|doctor.to.doctor|medical director|plan physician|talk|speak",
    "decision": r"how long[^.?]*(?:decide|answer|take)|turnaround|decide an|decision on",
    "outside": r"outside|external|independent|third.party|hearing|overturn|upheld|second no",
    "urgent": r"urgent|expedit|emergency|rush|fast",
}


# A clause of these is known by its words, however far it seems from the question; of those there is no other.
OWN_WORDS = frozenset(("review", "deadline", "limit", "exception", "next", "peer", "outside"))
ONLY_THERE = frozenset(("peer", "outside"))


SPOKEN = (
    *(subject.words for subject in SUBJECTS),
    *(words for _, words in SECTIONS),
    *ASKS.values(),
    *CLASS_WORDS.values(),
    *(known.pattern for known in (STEP, STOMACH, ALLERGY, TOGETHER, AROUND, WHOLE)),
)


WORD = re.compile(r"[a-z][a-z'’-]+|\d+(?:\.\d+)?")


ALWAYS = frozenset(
    """bulletin guide guidance script manual edit schedule guideline document insist insists option options
    agent agents oral
    situation situations lift indication indications standard vs versus supplya about accept accepted accepts
    according acceptable account actually add after again against ago all allow allowed
    allows also always am an eight five six seven nine ten twelve sixteen seventeen eighteen thirty ninety
    twice straight
    somebody mandatory along monthly yearly physician relative daughter brother sister mother father grandma
    and another any anybody anyone anything apply applies are around ask asked asks at available
    away back bad be because become been before being better between big both bring but by came can cannot case cases
    certain chance check checks clear clears close come comes common condition conditions correct could count
    counts cover
    coverage covered covers current currently cut date day days deal decide decides decision did different do doc doctor
    does doesn't doing don't done dont down drug drugs due during each earlier easy either else enough even ever every
    exact exactly example exceed expect far few fill fills final find fine first for form found four from full
    further gave
    general get gets getting give given go goes going good got great group guideline had half happen happens
    hard has have
    having he help her here high higher him his history hold how i idea if important in include included
    includes insurance
    insurer into involved is isn't issue it it's its just keep kind know language last late later latest law
    least left less
    let level like likely limit line list listed long longer look looks lot low lower made make makes many
    matter matters
    max may maybe me mean means medication medications medicine medicines meet meets member mention mentions might min
    minimum month months more most much must my name named necessary need needed needs never new newer next no none not
    note now number obtain of off offer offered often ok okay old older on once one ones only or order other
    our out over
    own paid part past patient patients pay payer payers pays people per percent person pill pills place plan
    plans please
    policies policy possible prefer preferred prescribe prescribed prescriber prescribing prescription previous prior
    problem process proof provide proven put qualifies qualify qualifying question questions quick quote quoted
    reach read
    reading really reason recent recently record records refer related report request requested require required
    requirement requirements requires result results right rule rules said same satisfy say saying says section see seem
    seen send sent set she should show shown shows sign signed since so some someone something soon speak
    specific specify
    start started state stated states still stop submit such suffice sure take taken takes taking talk tell
    test text than
    thanks that that's the their them then there these they thing things think this those though three through
    time times
    to today together told too took treated treatment treatments trial tried tries try trying two type under
    until up upon
    us use used uses using usual usually valid value values very want wanted wants was way we week weeks well went were
    what what's whats when where whether which while who whole whom whose why will with within without word
    work works would
    year years yes yet you your""".split()  # noqa: SIM905
)


@lru_cache(maxsize=256)
def compiled(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


def stem(word: str) -> str:
    folded = word.casefold().replace("’", "'").removesuffix("'s").strip("'-")
    for ending in ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ed", "es", "s", "e", "y"):
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            return folded[: -len(ending)]
    return folded
