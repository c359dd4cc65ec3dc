"""What kind of letter it is: denied, approved, in part, held for questions, or the decision of an appeal."""

from __future__ import annotations

import re
from typing import NamedTuple

from tools.denials.context import masked
from tools.denials.marks import mark_of
from tools.denials.past import is_past
from tools.denials.records import LetterKind, Quote, RequestedDrug
from tools.denials.words import Letter, Passage


class Outcome(NamedTuple):
    kind: LetterKind
    quote: Quote | None


_PEND = re.compile(
    r"\bpended\b|\bpend\b|\bon hold\b|hold(?:ing)? (?:this|the|your) (?:request|case|review)|(?:request"
    r"|need|require|asking|ask)\w* (?:for )?(?:more|additional|further) (?:\w+ )?(?:information|details"
    r"|documentation|records)|"
    r"(?:additional|more|further) (?:\w+ )?(?:information|documentation|details) (?:is |are )?(?:required"
    r"|needed|requested|necessary)(?! to appeal)|before we can (?:decide|finish|complete)|no decision"
    r" (?:has been|was|is) (?:made|taken) yet|"
    r"no decision has been made|not (?:yet )?(?:been )?decided|request for (?:additional |more |further"
    r" )?(?:information|documentation)|(?:this is )?not a denial|awaiting (?:information|documentation)"
    r"|information request|open question",
    re.IGNORECASE,
)
_DENY = re.compile(
    r"\b(?:den(?:y|ied|ies|ying)|denial of|declin(?:e|ed|ing)|refus(?:e|ed|ing)|reject(?:ed|s|ion)?"
    r"|disapprov\w+|adverse (?:benefit )?determination|not (?:be )?(?:approved?|authorized?|covered"
    r"|granted|certified|payable|medically necessary)|"
    r"(?:can ?not|can't|could ?not|couldn't|unable to|will not|won't|are not able to|not able to|cannot"
    r"|have to|bound to|must) (?:\w+ )?(?:approve|authorize|cover|pay|say yes|grant|renew|certify|be"
    r" (?:approved|authorized|covered|paid|granted)|take this)|turn(?:ed|ing)? (?:it |this |that |the"
    r" request |your request )?down|did (?:not|n't) pay|didn't pay|closing your request|cannot consider"
    r"|untimely|carve-out|sa(?:id|y|ying) no\b|answer (?:is|was):? no\b|answer:\s+no\b|prevents? (?:payment"
    r"|coverage|approval)|a no\b|non-?certified|"
    r"against coverage|unfavou?rable|bounced|does not satisfy|returning it|returned|not (?:covering"
    r"|approving|paying))",
    re.IGNORECASE,
)
_APPROVE = re.compile(
    r"(?<!not )(?<!not been )(?<!not be )(?<!n't be )(?<!cannot be )(?<!un)\b(?:(?:is|are|was|were|been"
    r"|has been|have been|hereby|now|:|-) (?:\w+ )?(?:approved|authorized|granted|certified)|we (?:have "
    r"|can |are |will )?(?:approved?|approving|authorized?|cover(?:ing)?|granted?)\b|"
    r"you are authorized|(?:plan|fund|trust) has approved|were able to approve|(?<!un)favou?rable\b"
    r"|good news|approval (?:of|for|notice|is valid|period)|^\W*approved\b|: ?approved\b"
    r"|fully favou?rable|in your favou?r|can approve|partly approved)",
    re.IGNORECASE | re.MULTILINE,
)
_PART = re.compile(
    r"\b(?:part(?:ly|ially)? (?:approv\w+|favou?rable|authoriz\w+|grant\w+|den\w+|of (?:this|the|your)"
    r" (?:request|filing|claim))|in part\b|partial (?:approval|denial|authorization)|approv\w+ (?:in part"
    r"|with (?:changes|modification)|as modified)|modified approval|"
    r"for a (?:smaller|lower) (?:quantity|amount)|approved? (?:a )?(?:lower|smaller|different|reduced))",
    re.IGNORECASE,
)
_UPHELD = re.compile(
    r"\b(?:uph(?:e|o)ld(?:s|ing)?|(?:stand|stands) by (?:our|the)|affirm(?:s|ed)?|maintain(?:s|ed)? (?:our"
    r"|the) (?:denial|decision)|(?:decision|denial|determination) (?:remains|is final|is unchanged|stands)"
    r"|unfavou?rable|"
    r"agree with the (?:plan|denial|decision)|appeal (?:is |was |has been |of [^.]{0,40}is )?(?:therefore"
    r" )?(?:denied|dismissed|declined|rejected|not granted)|(?:denied|deny|declined|rejected) (?:your|the"
    r"|this) (?:appeal|grievance|redetermination|reconsideration)|not change(?:d)? (?:our|the) (?:decision"
    r"|mind)|no (?:cause|reason|ground)s? to (?:depart|change|alter|reverse|overturn)|(?:decision|denial"
    r"|determination) (?:does|did|has|will) not (?:been )?change\w*)",
    re.IGNORECASE,
)
_OVERTURNED = re.compile(
    r"\b(?:overturn(?:s|ed|ing)?|revers(?:e|es|ed|ing) (?:our|the|its|that|this)|(?:is|was|are|hereby)"
    r" (?:\w+ )?reversed|changed our (?:decision|mind)|fully favou?rable|(?:decided|decision|resolved"
    r"|found) (?:is )?in (?:your|the (?:member|enrollee|patient)'s|(?:her|his)) favou?r|"
    r"(?:approved?|granted?|sustained|allowed) (?:your|the|this) appeal|appeal (?:is |was |has been"
    r" )(?:approved|granted|successful|sustained|allowed))",
    re.IGNORECASE,
)
_APPEAL = re.compile(
    r"\b(?:appeal\w*|grievance|redetermination|reconsideration|external review|independent review|IRO|IRE"
    r"|review panel|fair hearing)\b",
    re.IGNORECASE,
)
_PEER = re.compile(r"peer[- ]to[- ]peer", re.IGNORECASE)
_IDLE = re.compile(
    r"\b(?:if|would|could have|had we|may be (?:denied|refused)|(?:is|are|be) (?:denied|refused) (?:when"
    r"|if)|when we|might|should we|in case|after our|not a guarantee|following (?:an|any)|in the event of"
    r"|for which the|(?:would|could|may|can|might) be|a denial|will not be (?:granted|approved) if"
    r"|whether)\b",
    re.IGNORECASE,
)


def outcome_of(letter: Letter, drugs: tuple[RequestedDrug, ...]) -> Outcome:
    """The kind of letter and the words that say it."""
    said = [passage for passage in letter.passages if not passage.text.strip().endswith("?")]
    appealed = _is_about_an_appeal(said)
    part = _first(said, _PART)
    if appealed:
        over, kept = _first(said, _OVERTURNED), _first(said, _UPHELD)
        if over and (not kept or over.start <= kept.start) and not part:
            return Outcome("appeal_overturned", letter.quote(over.start, over.end))
        if kept:
            return Outcome("appeal_upheld", letter.quote(kept.start, kept.end))
    said = [passage for passage in said if not is_past(passage.text)] or said
    pend, no, yes = _first(said, _PEND), _first(said, _DENY), _first(said, _APPROVE)
    if pend and (_says_no_denial(said) or no is None or pend.start < no.start) and not _ticked(said, _DENY):
        return Outcome("pend", letter.quote(pend.start, pend.end))
    decisions = {drug.decision for drug in drugs if drug.decision}
    if decisions == {"denied", "approved"} and no:
        return Outcome("denial", letter.quote(no.start, no.end))
    if part and (no or yes):
        return Outcome("partial_approval", letter.quote(part.start, part.end))
    if yes and no:
        both = len(drugs) == 1 and not _ticked(said, _DENY) and _apart(yes, no)
        chosen = yes if both else no
        return Outcome("partial_approval" if both else "denial", letter.quote(chosen.start, chosen.end))
    if no:
        return Outcome("denial", letter.quote(no.start, no.end))
    if yes:
        return Outcome("approval", letter.quote(yes.start, yes.end))
    return Outcome("unclear", None)


def _first(said: list[Passage], words: re.Pattern[str]) -> Passage | None:
    for passage in said:
        if mark_of(passage) in ("unticked", "passed") or (words is _APPROVE and mark_of(passage) == "failed"):
            continue
        match = words.search(masked(passage.text))
        if match and not _idle(passage, match):
            return passage
    return None


def _idle(passage: Passage, match: re.Match[str]) -> bool:
    before = passage.text[: match.start()]
    if _APPROVE.fullmatch(match[0]) and re.search(r"\b(?:not|only|never)\b|n't\b", before[-70:]):
        return True
    if _APPROVE.fullmatch(match[0]) and re.search(
        r"\b(?:first|previously|already|initially) \w+$", before + match[0], re.IGNORECASE
    ):
        return True
    if re.search(r"\b(?:before|until|unless|so that)\W*$", before, re.IGNORECASE):
        return True
    if re.search(
        r"\b(?:refills|requests|claims|fills)\b[^.;]{0,60}\b(?:are|will be)\W*$", before, re.IGNORECASE
    ):
        return True
    clause = re.split(r"[;:]|, (?:and|but|so)\b", before)[-1]
    if passage.zone == "rights" and not passage.item:
        return True
    if (
        re.search(r"not a (?:clinical )?denial|nothing to appeal|not yet", passage.text, re.IGNORECASE)
        and "not a denial" not in match[0].casefold()
    ):
        return bool(_DENY.fullmatch(match[0]))
    if re.match(
        r"[^.;,]{0,30}?\b(?:if|unless|when)\b|(?:\s+\w+)?\s+(?:for|to treat|by the FDA)\b(?! (?:coverage"
        r"|\d|up to|one|two|three|four|five|six|twelve|the period|a year|a further))",
        passage.text[match.end() :],
        re.IGNORECASE,
    ):
        return not re.search(
            r"(?:can ?not|can't|unable|denied|not covering)", match[0], re.IGNORECASE
        ) or bool(re.match(r"[^.;,]{0,30}?\bif\b", passage.text[match.end() :], re.IGNORECASE))
    return bool(_IDLE.search(clause + match[0])) or bool(
        re.match(r"\W*(?:if|had|should|when)\b", passage.text, re.IGNORECASE)
    )


def _is_about_an_appeal(said: list[Passage]) -> bool:
    """The letter answers an appeal, and not only tells how to make one."""
    for passage in said:
        text = passage.text
        if not _APPEAL.search(text) or (passage.zone == "rights" and not passage.item):
            continue
        offered = _TELLS_HOW.search(text) or _PEER.search(text)
        if _ANSWERS.search(text) and not offered:
            return True
    return False


_ANSWERS = re.compile(
    r"you (?:have )?appealed|(?:your|this) (?:\w+ )?(?:appeal|grievance|redetermination"
    r"|reconsideration)(?: request)?\b[^.]{0,60}\b(?:received|about|on|of|dated|decision|is|was"
    r"|has|came|filed)|(?:the|an?) (?:appeal|grievance|redetermination|reconsideration)(?:"
    r" request)? (?:about|against|of|received|dated|was|has)\b|asked us (?:for|to (?:make|do)) a"
    r" (?:redetermination|reconsideration)|asked us to (?:look|review|think)[^.]{0,20} again"
    r"|(?:consider|accept|take up|dismiss\w*) your appeal|appeal is (?:\w+ )?dismissed|^\W*appeal"
    r" (?:no\W*)?[A-Z0-9-]*\d|(?:appeal|redetermination|reconsideration|external review)s?"
    r" (?:decision|determination|no\.?|number|case|#|panel|result)|decision (?:on|about|of)"
    r" (?:your|the|an?) (?:\w+ )?(?:appeal|grievance|redetermination|reconsideration)|with your"
    r" appeal|(?:heard|reviewed|considered|decided|upheld|overturned|looked at) (?:your|the|this)"
    r" (?:\w+ )?appeal",
    re.IGNORECASE,
)
_TELLS_HOW = re.compile(
    r"(?-i:\bmay\b)|\b(?:can|right to|if you|how to|to file|to ask|want to)\b", re.IGNORECASE
)


def _says_no_denial(said: list[Passage]) -> bool:
    return any(
        re.search(
            r"not a denial|no (?:coverage )?decision (?:has been|was|is) (?:made|taken)|\bpended\b",
            p.text,
            re.IGNORECASE,
        )
        and mark_of(p) != "unticked"
        and not re.search(r"unprocessed|returned", " ".join(q.text for q in said), re.IGNORECASE)
        for p in said
    )


def _ticked(said: list[Passage], words: re.Pattern[str]) -> bool:
    return any(mark_of(passage) == "ticked" and words.search(passage.text) for passage in said)


def _apart(yes: Passage, no: Passage) -> bool:
    return yes.start != no.start
