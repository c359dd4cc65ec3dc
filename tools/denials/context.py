"""Whether a letter asserts what a passage says: not where it only quotes a rule, supposes, offers, asks, or
says that something
was in order."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.denials.past import is_past
from tools.denials.words import Passage, is_speech

_CLAUSE = re.compile(
    r";|\s-{1,2}\s|,?\s(?:but|however|although|though|whereas|and it (?:could|did|was) not|even if)\b,?\s"
    r"|,\s(?:and|so|since|as|because)\s|,\s(?=(?:it|you|he|she|we|they|there|this|so|then)\b)|"
    r"\s(?=because\b|for the reason that\b)|(?<!have)(?<!has)(?<!had)(?<!ever)(?<!not)\s(?=since\b(?!"
    r" (?:\d|[A-Z][a-z]+ \d|then)))|\s(?=for the reason that\b)",
    re.IGNORECASE,
)
_MET = re.compile(
    r"(?<!not )(?<!not yet )(?<!n't )(?<!never )(?<!cannot be )(?<!not been )(?<!un)\b(?:(?:was|were|is"
    r"|are|been|fully|all|both|also|criteri\w+|requirements?) (?:\w+ )?(?:met|satisfied|fulfilled)|"
    r"accepted|sufficed?|suffices|(?:high|low|long|old|good) enough|settled|beyond doubt|meets? (?:the "
    r"|our |all |plan )?criteria|(?:were|was|are|is) (?:all |both )?documented|since (?:come|arrived|been"
    r" \w+)|play no part|no longer (?:at issue|a reason|the reason)|(?:never|not) (?:been )?(?:looked at"
    r"|reviewed|examined|considered)|no other (?:drug|medic\w+|step)\b[^.;]{0,20}\bneeds?|(?:was|is|were"
    r"|are) (?:sufficient|adequate|enough|fine|ok|okay|correct|in order|complete|acceptable|not (?:the|a"
    r"|an) (?:reason|problem|issue|concern))|found to be in order|\bok\b|"
    r"qualif(?:y|ies|ied)|withdrawn|moot|(?:falls?|fallen|fell|goes|gone) away|(?:is|are|has been|have been"
    r"|were|was)"
    r" (?:now |since )?(?:cured|resolved|waived|dropped as a)|common ground|made out|regular(?:ly)? fills?"
    r"|fill(?:s|ed)(?: \w+)? (?:regular|monthly|on time|on schedule)|(?:criteria|policy|plan"
    r"|rules?) do(?:es)? not (?:use|count|weigh|make use)|info(?:rmation)? (?:msg|message|only)|mak(?:e"
    r"|es) no finding"
    r"|(?:not|n't) (?:get|come|go) (?:as|that) far|nothing to do with|(?:not|n't) (?:about "
    r"|a question of )?(?:an? |the )?(?:\w+ ){0,2}(?:thing|issue|matter|question|problem|concern)s?"
    r"|on file (?:til|till|until|through|thru)|(?:not"
    r"|n't) (?:the reason|why|because)|(?:authorization"
    r"|approval|coverage|eligibility|enrol?lment|policy) (?:is|was) (?:still |fully )?(?:active"
    r"|valid|in force|in effect)|(?:no|not) quarrel|present no|presents no|"
    r"no (?:difficulty|obstacle|objection|cause for|bearing)|not in (?:doubt|point)|did (?:try|take|use"
    r"|complete|send|submit"
    r"|include|provide)|no (?:drug|medic\w+|step|trial)\b[^.;]{0,20}\b(?:needs?|had|has|have) to|"
    r"(?:we|plan|fund|trust|letter|decision|denial|this|panel|committee) (?:do(?:es)?|did)(?: not"
    r"|n't) (?:say|mean|suggest"
    r"|imply|hold|contend|turn on|rest on|concern)|(?:never|not) (?:\w+ )?(?:weighed|assessed|judged"
    r"|gone into)|(?:no|not|nor|neither) (?:\w+ )?(?:in dispute|at issue|an issue|a"
    r" problem|in question|disputed|contested|a factor|a concern|relied)|"
    r"don't doubt|do not doubt|do not dispute|not dispute|we (?:accept|agree|were satisfied|are satisfied"
    r"|found that (?:you|he|she) (?:do|have))|we did (?:receive|find)|thank(?:s| you)|model of|within"
    r" (?:the|our|its) (?:limits?|label|quantity)|"
    r"nothing (?:else )?(?:is |was )?wrong|no (?:\w+ ){0,3}?(?:issue|problem|concern)s?\b|does not"
    r" (?:matter|change)|required no further|made no finding|no finding (?:was made )?on|no dispute|no"
    r" (?:step|quantity|age) (?:edit|limit|restriction)|(?:do|does) not need|needs no|without (?:any"
    r" )?(?:step|prior)|isn't (?:an? )?(?:exclusion|issue|problem)|is not (?:an? )?(?:exclusion|issue"
    r"|problem|denial)|not been reviewed|not reviewed for|no decision)\b",
    re.IGNORECASE,
)
_MET_LABEL = re.compile(
    r"^\W*(?:what )?(?:it|this|that|we|they)? ?(?:do(?:es)?|did) ?(?:not|n't) (?:mean|say|rely)\b.*:|"
    r"^\W*(?:what is |what was )?(?:\bnot (?:the|a|an) (?:reasons?|issues?|problems?|concerns?)|not (?:at"
    r" issue|in dispute|in question|disputed)|(?:criteria |requirements? )?(?:met|satisfied|accepted"
    r"|fulfilled)|no (?:issue|problem)s?(?: with)?)\b[^.]{0,12}:",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|unless|should (?:you|he|she|the|we|an|your)|in case|had (?:we|you|he|she|it)|may be"
    r" (?:denied|refused|rejected|limited|subject)|might|"
    r"would (?:be(?! (?:a )?duplicat)|have|not|qualify|go|need|give|lead)|could (?:be (?:denied|refused"
    r"|paid)|have)|can be (?:denied|refused)|(?:is|are|be) (?:denied|refused|rejected|not approved)"
    r" (?:when|if|where|unless)|"
    r"(?:may|might) (?:tell|say|show|hear|read|see)|will not be (?:granted|approved|renewed) if"
    r"|a denial (?:would|may|can|could)|may make|exceptions?"
    r" (?:is|are|may|can))\b",
    re.IGNORECASE,
)
_EVEN = re.compile(r"\beven (?:if|where|though|were)\b[^,;.]*", re.IGNORECASE)
_GENERAL = re.compile(
    r"^\W*(?:some|most|many|certain|each|every|any|all|brand[- ]name|generic|other|a request|requests"
    r"|claims|drugs|an approval|approvals|an exception|(?:step therapy|prior authorization|quantity"
    r" limits?|a quantity limit) (?:is|are|means?|applies))\b"
    r"[^.;]{0,60}?\b(?:are|is|may|can|must|need|require|cost|will|means?|go)\b",
    re.IGNORECASE,
)
_COVERS = re.compile(
    r"^\W*(?:we|(?:the|our|your|this) (?:plan|policy|rule|fund|guideline)|\w+ health"
    r"|it) (?:only )?(?:covers?|pays? for"
    r"|approves?|allows?|renews?)\b[^.;]*\b(?:for|by|to|when|if|where) (?:people|members|patients|adults"
    r"|those|anyone|someone"
    r"|the patient|the member|you)\b",
    re.IGNORECASE,
)
_FAILS = re.compile(
    r"\b(?:you|she|he|they|patient|member|yours|hers|his|there|which|that) (?:\w+ )?(?:have|has|had|did|do"
    r"|does|is|are|was"
    r"|were|lack|fall)\w*(?:n't| not| no| never| only| below| under)|\bbut\b|\bnot met\b",
    re.IGNORECASE,
)
_OFFERED = re.compile(
    r"\b(?:may|can|could|will|would)\b(?! not|'t)[^.;]{0,30}\b(?:fill|use|get|switch|submit|send|share"
    r"|supply|include|provide|write|call|ask|request|resubmit|open|pay)\b|"
    r"\b(?:please|kindly)\b(?! (?:note|be (?:advised|aware|informed)|know))|"
    r"^\W*(?:to get|you (?:may|can)|your (?:doctor|prescriber) (?:may|can|could)|send|submit"
    r"|resubmit|call|write|fax|mail|return|re-?file)\b|"
    r"\b(?:alternatives?|instead|in its place)\b[^.;]*\b(?:covered|available|without)|\b(?:is|are) covered"
    r" without\b|\bcover\w*\b[^.;]{0,40}\bwithout\b|free of charge|free copies|at no (?:cost|charge)",
    re.IGNORECASE,
)
_RIGHTS = re.compile(
    r"\b(?:appeal\w*|redetermination|reconsideration|external review|independent review|peer[- ]to[- ]peer"
    r"|p2p|grievance|fair hearing|iro)\b",
    re.IGNORECASE,
)
_ABOUT_RIGHTS = re.compile(
    r"\b(?:may|can|right|ask|file|request|within|days|deadline|must be (?:made|filed)|next|call|write|mail"
    r"|fax|form|"
    r"available|offered|expedited|urgent|lies|level|unit|department|not changed)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\s*(?:[-*]\s|\(?\d{1,2}[.)]\s)")
_QUOTED = re.compile(r'"[^"\n]{25,}?(?:"|$)')
_DECISIVE = re.compile(
    r"\b(?:denied|deny|declined?|refused|rests? (?:up)?on|based on|because|for (?:this|that) reason|on"
    r" that ground|pursuant|not met|unmet|not satisfied|not fulfilled)\b",
    re.IGNORECASE,
)
_BECAUSE = re.compile(
    r"\b(?:because(?: of)?|since|due to|for the (?:following )?reasons?|reasons?(?: for (?:the )?(?:denial"
    r"|decision))?(?: per \w+)?(?: is| was|:)| on the grounds?|grounds?:|owing to|why:|in that|bounced b/c"
    r"|b/c|"
    r"(?:denied|rejected|declined|refused|not (?:approved|authorized|covered))(?: as| for| under|:| -)"
    r"|this is so)",
    re.IGNORECASE,
)
OUTCOME = re.compile(
    r"\W*(?:(?:answer|decision|outcome|result|status|determination)\W*$|(?:\w )?\W*(?:approved|not approved"
    r"|denied|pended|pending|adverse|more information (?:is"
    r" )?(?:needed|required)|other)[\W_]*)",
    re.IGNORECASE,
)
_REJECT = re.compile(
    r"\b(?:rej(?:ect)?(?: code)?|ncpdp|reason code|carc|code)[ :#]*([0-9]{2,3}|MR|7X)\b", re.IGNORECASE
)


_UNSHOWN = re.compile(
    r"\bnot (?:met|satisfied|fulfilled|enough)\b|\bonly\b|(?:\b(?:not|no|never|unable|cannot|fails?)\b"
    r"|n't\b)[^.;]{0,40}\b"
    r"(?:show\w*|demonstrat\w+|document\w*|establish\w*|indicat\w+|confirm\w*|find|found|prov\w+"
    r"|support\w*|evidence|tell)\b",
    re.IGNORECASE,
)
_GRANTS = re.compile(
    r"(?<!not )(?<!un)\b(?:approved|authorized|granted)\b(?: \w+)? (?:for (?:one|two|three|six|twelve|\d+)"
    r"|from|through|until)\b",
    re.IGNORECASE,
)
_QUALIFIES = re.compile(r"\b(?:would (?:otherwise |also )?qualify|qualif(?:y|ies) on each)\b", re.IGNORECASE)


class Said(NamedTuple):
    """A clause that the letter says of this case. `asserted`: it stands where a reason stands; `past`: it tells
    what led up to the letter, and is a reason only where the letter gives no other."""

    start: int
    end: int
    text: str
    asserted: bool
    past: bool = False


def reject_code(text: str) -> str:
    match = _REJECT.search(text)
    return match[1].upper() if match else ""


def masked(text: str) -> str:
    """Quoted rules become blanks, unless the sentence rests its decision on them."""
    if is_speech(text):
        return text
    for match in _QUOTED.finditer(text):
        around = text[: match.start()] + text[match.end() :]
        if not _DECISIVE.search(around):
            text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    return text


def said_of_case(passage: Passage) -> list[Said]:
    """The clauses of a passage that may state why, without those that do not."""
    text = masked(passage.text)
    listed = passage.item and (
        passage.zone == "reason"
        or bool(_BECAUSE.search(passage.heading))
        or (passage.zone == "" and bool(_NUMBERED.match(text)))
    )
    if (
        to_nobody(passage)
        or _QUALIFIES.search(text)
        or (not listed and passage.zone != "reason" and _GENERAL.search(text))
        or (text.count(",") > 1 and _COVERS.search(text) and not _FAILS.search(text))
        or (passage.zone in ("rights", "standard") and not _DECISIVE.search(text))
    ):
        return []
    found: list[Said] = []
    because, past = False, passage.zone == "past" or is_past(text)
    for start, end in _clauses(text):
        clause = text[start:end]
        because = because or bool(_BECAUSE.search(clause))
        whole = _EVEN.sub(" ", clause)
        if says_met(whole):
            continue
        if (
            _supposed(text, start, end)
            or _about_rights(clause, text)
            or (_OFFERED.search(clause) and not because)
        ):
            continue
        if _GRANTS.search(clause) or clause.strip().endswith("?"):
            continue
        said = Said(passage.start + start, passage.start + end, clause, because or listed, past)
        found.append(said)
    return found


def says_met(text: str) -> bool:
    return bool(_MET.search(text)) and not _UNSHOWN.search(text)


_ASKER = re.compile(r"\W*(?:[\d:apm\] ]+)?(?:you|me|caller|customer)\s*:\s", re.IGNORECASE)
_KEY = re.compile(r"(?:^|[;,.:(])\s*\w{1,4}\s*=\s*[A-Za-z]{2}")


def to_nobody(passage: Passage) -> bool:
    """A question, what the other side of a talk says, a key to signs, or a list of what is in order."""
    text = passage.text
    if text.strip().endswith("?") or _ASKER.match(text) or len(_KEY.findall(text)) > 1:
        return True
    return bool(_MET_LABEL.search(text) or _MET_LABEL.search(passage.heading + ":"))


def _clauses(text: str) -> list[tuple[int, int]]:
    """A clause begins with the word that joins it to the one before."""
    spans, begin = [], 0
    for match in _CLAUSE.finditer(text):
        if match.start() > begin:
            spans.append((begin, match.start()))
        begin = match.start() + (len(match[0]) - len(match[0].lstrip(" ,;-")))
    spans.append((begin, len(text)))
    return [(a, b) for a, b in spans if text[a:b].strip(" ,;.")]


def _supposed(text: str, start: int, end: int) -> bool:
    """An if before the words, or one that opens the sentence."""
    clause = _EVEN.sub(lambda match: " " * len(match[0]), text[start:end])
    if re.match(r"\W*even (?:if|where)\b", text[max(0, start - 9) : end], re.IGNORECASE):
        return False
    return bool(_SUPPOSED.search(clause)) or bool(
        re.match(r"\W*(?:if|unless|should|had|once)\b", text, re.IGNORECASE)
    )


def _about_rights(clause: str, text: str) -> bool:
    if not _RIGHTS.search(clause):
        return False
    return bool(_ABOUT_RIGHTS.search(clause)) and not re.search(
        r"\b(?:because|since)\b", clause, re.IGNORECASE
    )
