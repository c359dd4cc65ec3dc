"""How a sentence means what it names: denied or affirmed, of the patient or of a policy, supposed or so."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Course = Literal[
    "stopped",
    "ongoing",
    "failed",
    "partial",
    "worked",
    "intolerant",
    "tolerated",
    "allergic",
    "never",
    "taken",
]
Verdict = Literal[
    "approved",
    "would_be_approved",
    "denied",
    "likely_denial",
    "ready",
    "eligible",
    "all_met",
    "needs_documentation",
    "not_covered",
    "covered",
    "not_required",
    "required",
    "quantity_exception",
    "wrong_plan",
]
State = Literal["met", "not_met", "unknown"]


class Said(NamedTuple):
    """A predicate of a drug course, an outcome or a criterion's status, and whether it is denied."""

    start: int
    end: int
    what: str
    denied: bool = False


SUPPOSED = re.compile(
    r"\b(?:if|suppos(?:e|ing|ed)|hypothetical(?:ly)?|assum(?:e|ing)|what\s+if|were\s+(?:he|she"
    r"|the|his|her)\b|in\s+case|unless"
    r"|once\s+(?:he|she|it|we|the|this|that)|as\s+soon\s+as|provided\s+that)\b",
    re.IGNORECASE,
)
POLICY = re.compile(
    r"\b(?:polic(?:y|ies)|plans?|payers?|insurers?|criteri(?:on|a)|clauses?|requires?|required"
    r"|requirements?|asks?\s+for|asks?\b"
    r"|wants?|demands?|needs?\s+(?:an?\s)?|must|shall|threshold|limits?|limited|cut-?off|goals?"
    r"|targets?|accepts?|allows?|minimum"
    r"|maximum|rule|subscriber|individual|insured\s+person|covered\s+for|inclusive|label(?:ed"
    r"|led)?|indicated|documentation"
    r"|dispensed?|supply|grants?|window|approvals?|renewals?|appeals?)\b|§|≥|≤|>=|<=|\bII?I?\.\d",
    re.IGNORECASE,
)
# What is said of people in general: a label, a trial, a guideline.
GENERAL = re.compile(
    r"\b(?:in\s+(?:adults|people|patients|persons|individuals)|adults\s+with|people\s+with|patients\s+with"
    r"|labell?ed|indicat(?:ed|ion)"
    r"|guidelines?|standards\s+of\s+care|trials?|stud(?:y|ies)|hazard\s+ratio|placebo|recommend\w*"
    r"|reduc(?:es|ed|tion)\b.*\b(?:events|disease)"
    r"|events|risk\s+reduction)\b",
    re.IGNORECASE,
)
RELATIVES = re.compile(
    r"\b(?:family|familial|relatives?|mother|father|sister|brother|sibling|aunt|uncle|grand(?:mother"
    r"|father|parents?)|parents?"
    r"|son|daughter|cousin|maternal|paternal)\b(?!\s+(?:medicine|practice|name|physician|doctor|clinic))",
    re.IGNORECASE,
)
UNSURE = re.compile(
    r"\b(?:whether|(?-i:may)|might|maybe|possibl[ey]|perhaps|unclear|unknown|uncertain|not\s+(?:known"
    r"|documented|recorded|written)|undocumented"
    r"|open\s+(?:question|point)|can't\s+tell|could\s+be|to\s+complete|state\s+in\s+the\s+chart"
    r"|ask\b|confirm|rule\s+out|r/o"
    r"|nobody\s+has|no\s+one\s+has|missing|still\s+open|consider|planned|plan\s+to|should)\b|\?",
    re.IGNORECASE,
)
ASKED = re.compile(
    r"\b(?:request(?:s|ed|ing)?|ask(?:s|ing)?\s+(?:for|that)|authoriz(?:e|ation)|authoris(?:e"
    r"|ation)|order(?:ed|s)?|prescrib(?:e|ed|ing)"
    r"|start(?:ing)?\s+(?:on|dose)|prior\s+auth\w*|wants?|apply|seek(?:s|ing)?)\b",
    re.IGNORECASE,
)
NOT = re.compile(
    r"\b(?:no|not|never|none|neither|nor|without|cannot|denies|denied|deny|denying|negative\s+for"
    r"|free\s+of|absence\s+of|absent|lacks?"
    r"|nobody|nothing|non|isnt|doesnt|didnt|couldnt|wasnt|hasnt|wont|cant|ruled\s+out|excluded(?!\s+by))\b"
    r"|n't\b",
    re.IGNORECASE,
)
NOT_ONLY = re.compile(
    r"\bnot\s+only\b|\bno\s+(?:less|fewer|more|later|longer)\s+than\b|\bnot\s+(?:less|more)\s+than\b"
    r"|\bno\.\s",
    re.IGNORECASE,
)

_stop = (
    r"stopp(?:ed|ing)|stops?\b|discontinued|discontinuation|was\s+ended|came\s+off|taken\s+off"
    r"|went\s+off|quit|dropped|no\s+longer\s+(?:takes?|taking|on|uses?|using|injects?)|off\s+of"
    r"|withdrawn|ceased"
)
COURSE: tuple[tuple[Course, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE))  # type: ignore[misc]
    for name, pattern in (
        ("stopped", _stop),
        (
            "never",
            r"never\s+(?:took|taken|tried|used|had|been\s+on|started|received)|(?:has|have|had)\s+(?:not"
        r"|never)\s+(?:taken|tried|used|been\s+on)"
            r"|(?:hasn't|haven't|hadn't)\s+(?:taken|tried|used|been\s+on)|did(?:\s+not|n't)\s+(?:take"
        r"|try)|no\s+(?:\w+\s+)?(?:trial|course|record)\s+of"
            r"|no\s+\w+\s+(?:trial|course)",
        ),
        (
            "failed",
            r"failed|fail(?:s|ure)?\s+(?:of|on|with)|inadequate(?:ly)?|insufficient(?:ly)?|did(?:\s+not"
        r"|n't)\s+(?:work|help|do\s+enough|respond)|(?:was|were|is)\s+not\s+enough"
            r"|without\s+(?:enough|sufficient|adequate|much|any)\s+(?:effect|response|benefit|success)"
        r"|not\s+do\s+enough|ineffective|not\s+effective|not\s+at\s+goal"
            r"|above\s+(?:his\s+|her\s+)?goal|no\s+response|not\s+controlled",
        ),
        ("partial", r"partial(?:ly)?\s+(?:respon\w+|effective)"),
        (
            "worked",
            r"work(?:ed|s)\s+(?:well|fine|great)|responded\s+(?:well|fully)|(?:good"
        r"|excellent|full|adequate)\s+(?:response"
        r"|control)|well\s+controlled|effective(?:ly)?"
            r"|reached\s+(?:his|her|the)\s+goal|at\s+goal",
        ),
        (
            "intolerant",
            r"(?:unable|not\s+able)\s+to\s+(?:tolerate|keep)|(?:could|can|did|does)(?:\s+not|n't|nt)\s+(?:tolerate"
        r"|keep)|couldnt\s+(?:tolerate|keep)|cannot\s+tolerate"
            r"|intoleran\w+|side\s+effects?|vomit\w*|nause\w+|diarrhea|adverse|caused|poorly\s+tolerated"
        r"|not\s+tolerated|untolerated",
        ),
        ("tolerated", r"tolerat(?:ed|es|ing)|no\s+side\s+effects|without\s+(?:any\s+)?(?:problems?|side\s+effects"
        r"|trouble|difficulty)"),
        ("allergic", r"allerg\w+|hives|rash|anaphyla\w+|gave\s+(?:him|her|them)|cough|hypersensitiv\w+"),
        (
            "ongoing",
            r"takes?|taking|is\s+on(?!\s+(?:a\s+)?(?:tier|the|file|record|formulary))|he's\s+on|she's\s+on"
        r"|are\s+on|currently|continues?|continued|still|has\s+been\s+(?:on|taking)|have\s+been\s+on"
        r"|ongoing|on\s+board"
            r"|being\s+treated|treated\s+with|under\s+treatment|concurrent(?:ly)?|injects?|uses|using"
        r"|already\s+on|stays\s+on|remains\s+on|maintained\s+on|only\s+\w+\s+medication",
        ),
        ("taken", r"took|taken|tried|trial\s+of|course\s+of|was\s+on|had\s+been\s+on|started|begun|began|since"
        r"|was\s+given|received|treated|used"),
    )
)  # fmt: skip
AFTERWARDS: frozenset[str] = frozenset(
    ("failed", "partial", "worked", "intolerant", "tolerated", "allergic", "stopped")
)

_would = r"(?:would|will|should|could|can|may|might|likely|probably|expect\w*)"
_pa = r"(?:prior[- ]auth\w*|pa|authorization|authorisation|precertification)"
VERDICTS: tuple[tuple[Verdict, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))  # type: ignore[misc]
    for name, pattern in (
        ("likely_denial", rf"\b(?:likely|probabl[ey]|expect\w*)\b[^.;]{{0,30}}\b(?:denial|denied|rejected|refused)"
        rf"|\bdenial\b[^.;]{{0,20}}\b(?:likely|expected|probable)"
         rf"|\b{_would}\s+(?:likely\s+|probably\s+)?be\s+(?:denied|rejected|refused|turned\s+down)"
        rf"|\blikely\s+(?:to\s+be\s+)?(?:denied|denial)|\blikely\s+denial"),
        ("would_be_approved", rf"\b{_would}\s+(?:\w+\s+)?(?:be\s+)?(?:approved|authorized|granted"
        rf"|accepted|go\s+through"
        rf"|approve)|\b(?:approval|approved)\b[^.;]{{0,20}}\b(?:likely|expected|certain|assured|guaranteed)"
         r"|\blikely\s+(?:to\s+be\s+)?approv\w+|\bguaranteed\b"),
        ("approved", r"\b(?:has|have|had|was|were|is|are|been|got|gets|being)\s+(?:already\s+"
        r"|now\s+|just\s+)?(?:been\s+)?(?:approved"
        r"|authorized|authorised|granted)\b|\bapproved\s+(?:for|by|the|this|his|her)\b"
         r"|\b(?:plan|payer|insurer)\s+(?:has\s+)?(?:approved|granted|authorized)|\bapproval\s+(?:has\s+been"
        r"|was|is)\s+(?:granted|given|received|in\s+hand)|^\s*(?:outcome|status"
        r"|decision|determination)\s*:\s*approved"
        r"|\bapproved\b\s*[.!]?\s*$"),
        ("denied", r"\b(?:request|claim|drug|pa|authorization|it|coverage)\s+(?:has\s+been"
        r"|was|is|were|got)\s+(?:already\s+)?(?:denied"
        r"|rejected|refused|turned\s+down)|\b(?:has\s+been|have\s+been|was|got)\s+(?:denied|rejected"
        r"|turned\s+down)\b(?!\s+in\s+the\s+chart)"
         r"|\b(?:plan|payer|insurer)\s+(?:has\s+)?(?:denied|rejected|refused)\b|^\s*(?:outcome|status"
        r"|decision|determination)\s*:\s*denied"),
        ("not_required", rf"\b(?:no|without(?:\s+a)?)\s+(?:prior[- ]auth\w*|pa)\b(?!\s+polic)"
        rf"|\b(?:not|n't|never)\s+(?:need"
        rf"|require)s?\s+(?:a\s+|any\s+)?{_pa}|\b(?:needs?|requires?)\s+no\s+{_pa}|\b{_pa}\s+(?:is"
        rf"|was)\s+not\s+(?:needed|required|necessary)|\bnot[ _]required\b"),
        ("required", rf"\b(?:needs?|requires?)\s+(?:a\s+|an\s+)?{_pa}\b|\b{_pa}\s+(?:is|are)\s+(?:needed|required"
        rf"|necessary)"),
        ("not_covered", r"\b(?:not|n't|never)\s+(?:be\s+)?cover(?:ed|s)?\b|\bnot\s+(?:on|listed\s+on|in)\s+(?:the"
        r"|its)\s+formulary|\bnon-?formulary\b|\bexcluded\s+from\s+(?:coverage|the\s+benefit)|\bnot[ _]covered\b"
        r"|\buncovered\b"),
        ("covered", r"\b(?:is|are|be)\s+covered\b|\b(?:plan|payer|policy|ppo|hmo|pdp|insurance)\s+covers\b"
        r"|\bon\s+(?:the"
        r"|its)\s+formulary\b"),
        ("quantity_exception", r"\bquantity(?:[ _-]limit)?[ _]exception\b"),
        ("wrong_plan", r"\bwrong[ _]plan\b"),
        ("needs_documentation", r"\bneeds?[ _](?:more\s+|further\s+|additional\s+)?documentation\b"
        r"|\bdocumentation\s+(?:is\s+)?(?:missing"
        r"|incomplete|needed|lacking)|\b(?:more|further|additional)\s+documentation\s+(?:is\s+)?(?:needed"
        r"|required)"
         r"|\b(?:can't|cannot|can\s+not)\s+(?:be\s+)?submit(?:ted)?\b(?:\s+it)?(?:\s+yet)?"
        r"|\bnot\s+(?:yet\s+)?(?:quite\s+)?ready\b"
        r"|\bisn't\s+(?:yet\s+)?ready\b"),
        ("all_met", r"\b(?:all|every|each)(?:\s+of)?(?:\s+(?:the|its|their|other|plan's"
        r"|policy's|coverage))*\s+(?:criteri(?:a"
        r"|on)|requirements?|conditions?)\s+(?:is|are|have\s+been|has\s+been)\s+(?:\w+\s+)?(?:met"
        r"|satisfied|fulfilled)"
         r"|\b(?:meets?|satisf(?:y|ies)|fulfil+s?)\s+(?:all|every)(?:\s+(?:of|the|its|plan's|policy's"
        r"|coverage|payer's))*\s+(?:criteri(?:a|on)|requirements?|conditions?)|\bcriteria\s+are\s+(?:all\s+"
        r"|fully\s+)?met\b"),
        ("ready", r"\bready\s+(?:to\s+(?:go|be|submit|send|file|fax)\w*|for\s+(?:submission|the\s+payer|review"
        r"|filing)|as\s+well|now|too)|\b(?:is|are|it's|one's|request's|looks?"
        r"|be)\s+ready\b|\beverything\s+is\s+(?:in\s+place"
        r"|there|complete)|\bgood\s+to\s+go\b"
         r"|\bcan\s+(?:now\s+)?be\s+(?:submitted|sent|filed)|\b(?:outcome|status|determination)\s*:\s*ready"
        r"|^\s*ready\b"),
        ("eligible", r"\b(?:is|are|be|he's|she's|currently)?\s*(?:not\s+|ineligible|n't\s+)?\b(?:in)?eligible\b"
        r"|\b(?:not\s+|n't\s+)?qualif(?:y|ies|ied)\b"),
    )
)  # fmt: skip
STATES: tuple[tuple[State, re.Pattern[str]], ...] = (
    (
        "not_met",
        re.compile(
            r"\b(?:not|n't)\s+(?:been\s+)?(?:met|satisfied|fulfilled|meet|satisfy)|\bunmet\b|\bfails?\b"
            r"|\bfailed\b|\bnot_met\b"
            r"|\bno\s+longer\s+(?:met|meets?)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "unknown",
        re.compile(
            r"\bunknown\b|\b(?:stays?|is|remains?|still)\s+open\b|\bunclear\b"
            r"|\bundetermined\b|\bnot\s+(?:yet\s+)?(?:documented"
            r"|known)\b"
            r"|\bmissing\b|\bundocumented\b",
            re.IGNORECASE,
        ),
    ),
    ("met", re.compile(r"\b(?:met|satisf(?:y|ies|ied)|fulfil+(?:s|ed)?|meets?)\b", re.IGNORECASE)),
)
DRUG_APPROVED = re.compile(r"\bfda\b|\bfood\s+and\s+drug\b|\blabel\b", re.IGNORECASE)


def courses(text: str) -> list[Said]:
    """What is said of drug courses, in order; an earlier kind has the words to itself."""
    found: list[Said] = []
    for name, pattern in COURSE:
        for match in pattern.finditer(text):
            if any(s.start < match.end() and match.start() < s.end for s in found):
                continue
            found.append(Said(match.start(), match.end(), name, denies(text, match.start())))
    return sorted(found)


def verdicts(text: str) -> list[Said]:
    """Determination words, in order."""
    found: list[Said] = []
    for name, pattern in VERDICTS:
        for match in pattern.finditer(text):
            if any(s.start < match.end() and match.start() < s.end for s in found):
                continue
            words = match[0].lower()
            negated = denies(text, match.start(), reach=14)
            if name == "eligible":
                negated = negated or "not " in words or "n't" in words or "ineligible" in words
            found.append(Said(match.start(), match.end(), name, negated))
    return sorted(found)


def states(text: str) -> list[Said]:
    """What is said of criteria: met, not met, unknown; in order."""
    found: list[Said] = []
    for name, pattern in STATES:
        for match in pattern.finditer(text):
            if any(s.start < match.end() and match.start() < s.end for s in found):
                continue
            found.append(Said(match.start(), match.end(), name))
    return sorted(found)


def denies(text: str, at: int, reach: int = 26) -> bool:
    """Is what begins here denied by the few words before it?"""
    before = text[max(0, at - reach) : at]
    cut = max(before.rfind(mark) for mark in (",", ";", ":", ".")) + 1
    before = NOT_ONLY.sub(lambda m: " " * len(m[0]), before[cut:])
    return bool(NOT.search(before))
