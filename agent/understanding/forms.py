# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""Forms of a question whose words settle what is asked, and other people who are only spoken of.

Both were misread by the cues and the examples together: a form is a verdict, where no request to make evidence up
fits. What somebody says, other patients of the past, and patients in general are nobody whose case is asked about.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.understanding.reading import Intent

_PLAN = r"(?:the |her |his |their |this |our )?(?:insurer|insurance(?: company)?|health plan|plan|payer|carrier|PLAN)"
_WANTED = r"(?:requirements?|criteria|criterion|conditions|rules|stipulations|terms|prerequisites|preconditions|demands)"
_PAYS = (
    r"(?:(?:bears?|carr(?:y|ies)|shoulders?|absorbs?|takes? on|covers?|meets?) (?:the |its |all )*(?:costs?|expenses?|bill)|foots? the bill|picks? up the (?:tab|bill|check|cost)|reimburses?"
    r"|be (?:reimbursed|paid|billed to))"
)
_OF_HERS = r"(?:the |her |his |their |this |that |our |my |WHO's |(?:the |this |our |my )?patient's )"
_CASE = r"(?:request|case|pa|prior auth\w*|application|submission|order)"
_HAVE = r"(?:order|orders|chart|record|records|prescription|script|rx|list|file|med(?:ication)? list|profile)"
_SHOULD = r"\b(?:should|start(?:ing)?|best|recommend\w*|right|appropriate|titrat\w*|go up|increase|next|ought|ideal|safe|would|can|could|max\w*|limit|cover\w*|allow\w*|polic(?:y|ies))\b"

_ALIKE = (
    r"\b(?:patients?|people|others?|members?|cases|those|ones|pts|diabetics)(?: \w+){0,2} (?:like (?:her|him|them|this one|this patient|this person|WHO|the patient)|with (?:(?:her|his|their|WHO's) |(?:the |an? )?(?:same|similar) )(?:\w+ )?(?:profile|conditions?|diagnos\w+|history|problems?|comorbidit\w+|picture|background|CONCEPT))\b"
    r"|\b(?:similar|comparable) (?:patients?|people|cases|pts|members)\b"
)
_WENT = (
    r"\b(?:work(?:s|ed|ing)?|help(?:s|ed|ing)?|tr(?:y|ies|ied|ying)|respond\w*|responses?|effective|success\w*|outcomes?|results?|pathways?|tolerat\w+|fared?|end(?:s|ed)? up|(?:go|goes|went|gone|move[sd]?|switch\w*) (?:on )?to|did best|done best|do best|did well|do well|done well"
    r"|(?:take|taken|took|taking|use|used|put on|given) (?:next|after|instead|in the end|first|MED|DRUG|TEST)|happen(?:s|ed)? (?:to|with|on|after)|how (?:did|do|have|has|is|are|was|were)|what (?:did|do|have) \w+ (?:\w+ ){0,4}(?:take|try|use|get|do))\b"
)


class Form(NamedTuple):
    """A form, what it asks, and what must not be there."""

    intent: Intent
    about: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str]


def _form(intent: Intent, about: str, pattern: str, unless: str) -> Form:
    return Form(intent, about, re.compile(pattern), re.compile(unless))


_FORMS = (
    _form(
        "alike", "",
        rf"^(?=.*(?:{_ALIKE}))(?=.*{_WENT})",
        r"^\W*(?:(?:and|so|but) )*(?:can|could|will|would|may)\b|\b(?:should|names?|named|which patients?|who (?:is|are|else)|whose|list|show me (?:another|a|the) (?:patient|chart|record)|approv\w+|cover\w*|den(?:y|ied|ial\w*)|appeal\w*|eligible|qualif\w+|get (?:it|approved)|charts?|records?|ids?|mrn|phone|address|compare|another|different|other)\b",
    ),
    _form(
        "eligibility", "",
        rf"\bhow (?:does|do|is|are|did|would|will) {_OF_HERS}(?:DRUG |CLASS |ODD )?{_CASE}(?: for (?:DRUG|ODD|it|her|him))? (?:look|looking|stand|standing|shap\w+|do|doing|fare|far\w+)\b",
        r"\bwhere|\bsent\b",
    ),
    _form(
        "eligibility", "",
        r"^\W*(?:(?:so|and|ok|then|now) )*(?:are|is|were|have|has) (?:all |every one of |each of )?(?:the |of the |her |his |DRUG(?:'s)? |ODD(?:'s)? |PLAN(?:'s)? |plan's |policy's |coverage |pa )*" + _WANTED + r"\b.{0,48}\b(?:satisfied|met|fulfill?ed|in place)\b",
        r"\bTEST\b|\bMED\b|\bCONCEPT\b|\bstep\b|\blifestyle\b|\bif\b",
    ),
    _form(
        "eligibility", "",
        rf"\b(?:would|will|might|is|are) (?:{_PLAN}|they) (?:be |likely |probably |going |willing |prepared |ready |disposed |inclined |bound |obliged |expected |to )*(?:pay for|cover|approve|accept|ok|okay|agree to|go for|authori[sz]e|grant|say yes to) (?:DRUG|ODD|it|this|that)\b"
        rf"|^\W*(?:do|does) (?:{_PLAN}|they) (?:have|need) to (?:pay for|cover|approve|accept|grant) (?:DRUG|ODD|it)\b",
        r"\b(?:how|what|when|which|why|if|first|months?|days?|once|as|without|before|strength|dose|again|long)\b",
    ),
    _form(
        "eligibility", "",
        rf"\bhow (?:is|are|would|will|might|do|does) (?:{_PLAN}|they|the reviewer|a reviewer)(?: (?:be|likely|probably|going|expected|most|to))* (?:rule|decide|respond|react|come down|see|view|judge)\b.{{0,24}}(?:DRUG|ODD|\bit\b|this|that|{_CASE})",
        r"\blong\b|\bappeal\b|\bif\b",
    ),
    _form(
        "eligibility", "",
        r"^\W*(?:(?:so|and|ok|then|is|for (?:her|him)) )*(?:DRUG|ODD|it|this)\W+(?:for (?:her|him|WHO|this patient)\W+)?(?:good to go|all set|a go|ready to go|cleared?|in the clear|yes or no|thumbs up)(?: (?:for (?:her|him|WHO)|or not))?\W*$",
        r"\bsubmit\b",
    ),
    _form(
        "eligibility", "",
        r"\byes or no\b\W*$",
        r"\b(?:MED|TEST|CONCEPT|PLAN)\b|(?:^|[.,;:] )(?:and |so |just |ok )*(?:has|have|did|is|was|does|do|are|should|must|was)\b|\b(?:say|answer|reply)\b|\b(?:safe|should|advise|recommend\w*|take it|appeal|draft|form|letter|copay|tier|formulary|limit|missing|polic(?:y|ies)|expires?|deadline)\b",
    ),
    _form(
        "eligibility", "",
        r"\b(?:will|would|is going to|is gonna|'ll|is bound to|is sure to) (?:\w+ )?(?:be|get) (?:refused|denied|rejected|turned down|declined|knocked back)\b",
        r"\b(?:why|how|if|what|when|which|where|appeal\w*|once|after|unless|without)\b",
    ),
    _form(
        "eligibility", "",
        r"\b(?:does|do|would|will|has|have|did) (?:she|he|they|WHO|it|(?:this|the|her|his|our|my) (?:case|patient|pt|member|person|lady|chart|record|request|application))(?: (?:really|already|now|fully|even))? (?:satisf(?:y|ied)|meets?|met|fulfil\w*|fit|live up to|match|comply with|have|got)\b.{0,30}\b(?:asks?|asked|wants?|requires?|needs|takes|" + _WANTED[3:-1] + r")\b",
        r"\b(?:TEST|MED|CONCEPT|step|lifestyle|if|which|why|how|criterion|when|age)\b|^\W*what\b",
    ),
    _form(
        "eligibility", "",
        rf"^\W*(?:(?:so|and|ok|but) )*(?:what(?: will| would| is| are| might|'s|s)|whats) (?:{_PLAN}|they|the reviewer|a reviewer)(?: (?:going|likely|to|gonna|bound))* (?:say|decide|rule|answer|do|think)\b(?: (?:about|on|to|with|of|in|re|regarding|\w{{1,2}}[aou]\w{{1,2}}t))?(?: (?:DRUG|ODD|it|this|that|{_CASE}|this case|her case|her|him))?\W*$"
        rf"|\bhow (?:do|are) things (?:look|looking|stand)\b.{{0,16}}(?:DRUG|ODD|{_CASE})|\blikely (?:ruling|decision|verdict|answer|outcome)\b",
        r"\bif\b|\bappeal",
    ),
    _form(
        "eligibility", "",
        r"\b(?:denial|refusal|rejection|approval)\b.{0,24}\b(?:feared|likely|probable|expected|anticipated|in the cards|in sight|coming)\b"
        r"|\b(?:fear|expect|anticipate|reckon with|count on|worry about|brace for) (?:an? |any )?(?:denial|refusal|rejection|approval)\b"
        r"|\bwhere(?: is| are|'s) (?:she|he|they|we|WHO|(?:this|the|our|my) (?:patient|pt|member|case))(?: at| now| standing)? (?:with|on|regarding|about) (?:DRUG|ODD|it)\b"
        rf"|^\W*is (?:the|her|his|our|this|my) (?:DRUG |ODD )?(?:{_CASE}|submission)(?: for (?:DRUG|ODD))?(?: all| now| already)? (?:in order|complete|in good shape|watertight)\b",
        r"\bhow\b|\bwhat\b|\bwhich\b|\bwhen\b|\bwhy\b|\bif\b|\b(?:MED|TEST|CONCEPT)\b|\bappeal\w*|\blong\b|\bfor the (?:denial|refusal)\b",
    ),
    _form(  # whether it is paid for, and not how much
        "eligibility", "",
        rf"^(?=.*(?:DRUG|ODD|\bit\b)).*(?:\b{_PAYS}(?!\w)|\b(?:on|at|to) (?:{_PLAN}|their|the insurer)(?:'s)? (?:dime|tab|expense|cost|account|bill|nickel)\b|\bout of (?:her|his|their|the patient's)(?: own)? pocket or\b|\bor (?:\w+ ){{0,3}}out of (?:her|his|their|the patient's)(?: own)? pocket\b)",
        r"\bhow\b|\bwhat\b|\bwhich\b|\bwhen\b|\bwhy\b|\bwho\b|\b(?:MED|TEST|CONCEPT)\b|\b(?:copay|tier|deductible|coinsurance|percent\w*|month|days?|appeal)\b",
    ),
    _form(
        "eligibility", "",
        r"^\W*(?:(?:so|and|ok|but|then) )*(?:if|when|once|should|were|suppose|say) (?:DRUG|ODD|it|she|he|i|we|WHO|dr|(?:the|her|his|our|my) (?:doctor|prescriber|physician|provider|endo\w*|clinician|patient))\b.{0,16}\b(?:prescri\w+|orders?|ordered|writes?|written|wrote|requests?|requested|sends?|sent|submit\w*|files?|filed|fax\w*)\b.{0,24}\b(?:will|would|does|do|is|can|could|may)\b.{0,30}\b(?:pays?|paid|covers?|covered|bears?|approves?|approved|accepts?|reimburse\w*|go through)\b",
        r"\bhow\b|\bwhat\b|\bwhich\b|\bwhen\b(?<!^when)|\bwhy\b|\b(?:MED|TEST|CONCEPT)\b|\b(?:copay|tier|deductible|instead|first|dose|mg|tablets?|pens?|days?|months?)\b",
    ),
    _form(
        "eligibility", "",
        r"^\W*(?:(?:so|and|ok|but|then) )*(?:is|isn't|will|won't) (?:she|he|they|WHO|the patient|this patient|the pt|this one|be)(?: be| really| ever| finally| going to be)* getting (?:it|DRUG|ODD|this|that)\b\W*$"
        r"|\b(?:do|should|can|shall|may) (?:i|we) (?:tell|say to|answer|promise)(?: (?:them|her|him|WHO|the (?:\w+ )?\w+))?\b.{0,12}\b(?:yes or no|a yes|yes|approved|covered|(?:it|DRUG)(?:'s| is)(?: \w+)? (?:approved|covered|a go|fine|coming))\b"
        r"|^\W*(?:(?:so|and|ok|but|then) )*what (?:do|should|can|shall|could) (?:i|we) (?:tell|say to|answer|report(?: back)? to)(?: (?:them|her|him|WHO|the (?:\w+ )?\w+))?(?: (?:about|on|regarding) (?:DRUG|ODD|it|this))?\W*$",
        r"\b(?:MED|TEST|CONCEPT)\b|\b(?:side|safe\w*|dose|inject\w*|take|taking|copay|form|letter)\b",
    ),
    _form(  # how often, which no policy and no chart says
        "policy", "",
        r"\bhow (?:often|common\w*|frequent\w*|rare\w*|many (?:requests?|cases|people|patients|members))\b.{0,40}\b(?:den\w+|approv\w+|reject\w+|refus\w+|turn(?:ed)? down|accept\w*)\b"
        r"|\b(?:what|which)(?:'s| is| are)? (?:\w+ ){0,2}(?:percent\w*|share|proportion|fraction|rate|odds)\b.{0,40}\b(?:den\w+|approv\w+|reject\w+|refus\w+|turned down)\b|\b(?:denial|approval|rejection|refusal|success) rates?\b",
        r"\b(?:my|our|your|her|his|we|i|she|he|this patient)\b|\bodds\b(?!.*\b(?:people|patients|requests)\b)",
    ),
    _form("eligibility", "", r"^\W*(?:(?:so|and|ok|but) )*(?:what(?:'s| is)|whats|tell me about|who makes) (?:a |the )?ODD\W*$|^\W*(?:(?:and|or|so|what about|how about) )*ODD for \S+(?: \S+){0,2}\W*$", r"^$"),
    _form(
        "other_patient", "",
        r"^\W*(?:(?:so|and|ok|but|hi),? )*my (?:own |\w+ )?(?:sister|brother|cousin|aunt|uncle|neighbou?r|friend|wife|husband|daughter|son)(?:'s| (?:has|had|is|was|takes|wants|needs|got))\b.{0,16}\b(?:CONCEPT|DRUG|MED|TEST)\b",
        r"\?|\bWHO\b",
    ),
    _form(
        "other_patient", "",
        r"\b(?:my|our|her|his|their|the patient's|WHO's) (?:\w+ )?(?:sister|brother|cousin|aunt|uncle|neighbou?r|friend|wife|husband|spouse|partner|daughter|son|mother|father|mom|mum|dad|boss|colleague|coworker|roommate)'s (?:\w+ ){0,2}(?:TEST|labs?|chart|record|plan|insurance|meds|medications?|diagnos[ei]s|allerg\w+|case|weight|appointment)\b",
        r"\bfamily\b|\bhistory\b|\b(?:on|through|under|covered by) (?:my|our|her|his|their|the patient's) (?:\w+ )?\w+'s (?:plan|insurance)\b",
    ),
    _form(
        "chart", "",
        rf"\b(?:what|which|whats|what's)(?: is| was)? (?:the )?(?:dose|doses|dosage|strength|mg)\b.*\b(?:(?:on|in|per|from) (?:the |her |his |their |WHO's |this |that )?(?:\w+ )?{_HAVE}\b|(?:was|is|were|did|has)(?: \S+){{0,3}} (?:ordered|prescribed|order|prescribe)\b|(?:has|have|did|does) (?:she|he|they|WHO|the patient) (?:got|have|get)\b)",
        _SHOULD,
    ),
    _form(
        "dates", "approval",
        r"\b(?:how (?:many (?:days|weeks|months|years)|long)|what (?:period|time|length)) (?:do|does|will|would|is|are|can)\b.{0,30}\b(?:approv\w*|authori[sz]\w*|grant\w*)\b.{0,24}\b(?:first|initial\w*|start|for|good|valid)\b|^\W*for (?:how (?:many \w+|long)|what (?:period|time|length of time)) (?:do|does|will|would|is|are|can)\b.{0,30}\b(?:approv\w*|authori[sz]\w*|grant\w*)"
        r"|\bhow (?:many (?:days|weeks|months|years)|long)\b.{0,20}\b(?:approval|authori[sz]ation)\b.{0,24}\b(?:run|runs|last|lasts|valid|good|hold|holds|be|is)\b"
        r"|\b(?:length|duration|period|term) of (?:the |an? |her |his )?(?:first |initial |original )?(?:DRUG )?(?:approval|authori[sz]ation)\b|\b(?:first|initial) (?:DRUG )?(?:approval|authori[sz]ation) (?:period|length|duration|term)\b",
        r"\b(?:take|takes|taking|wait|hear|decide|decision|review|appeal|tablets|pens?|doses?|supply|need|needs|tried|try|renew\w*|reauth\w*|until|yet)\b",
    ),
    _form(
        "dates", "renewal",
        r"\bhow (?:many (?:days|weeks|months|years)|long)\b.{0,30}\b(?:renewal|reauthori[sz]ation|re-?approval|re-?certification|extension|renewed|reauthori[sz]ed)\b.{0,24}(?:\b(?:run|runs|last|lasts|valid|good|hold|holds|granted|approved|given|for)\b|\W*$)"
        r"|\b(?:length|duration|period|term) of (?:the |an? |her |his )?(?:DRUG )?(?:renewal|reauthori[sz]ation|renewed \w+)\b|\b(?:renewal|reauthori[sz]ation) (?:period|length|duration|term)\b"
        r"|^\W*(?:(?:and|so) )*(?:when|once|if|after) (?:they|it|DRUG|the plan|we)(?: is| gets?)? renew\w*\b.{0,24}\bhow (?:many|long)\b",
        r"\b(?:wait|hear|decide|decision|review|appeal|tablets|pens?|doses?|supply|need|needs|tried|try|ask|apply|before|ahead|early|process\w*)\b",
    ),
)  # fmt: skip


def settled(text: str) -> tuple[Intent, str] | None:
    """The intent of the first form that fits the piece, and what narrows it."""
    for form in _FORMS:
        if form.pattern.search(text) and not form.unless.search(text):
            return form.intent, form.about
    return None


_TELLS = (
    r"(?:keeps? )?(?:says?|saying|said|tells?|telling|told (?:me|us|her|him|them)|thinks?|heard|claims?|insists?|believes?|warned|warns|mentions?|mentioned|swears?|wrote|writes|is sure|are sure|was told|were told|"
    r"(?:wants?|would like|needs?) (?:(?:me|us|you) )?to (?:know|find out|ask|check|see|hear)|(?:asks?|asked|is asking|are asking|keeps? asking|wonders?|is wondering)(?: me| us| you)?)"
)
_KIN = r"(?:husband|wife|sister|brother|mother|father|mom|mum|dad|daughter|son|aunt|uncle|neighbou?r|friend|cousin|boss|coworker|co-worker|colleague|spouse|partner|grandmother|roommate|nurse|pharmacist|receptionist|family)"
_SAID = re.compile(
    rf"^\W*(?:(?:so|and|but|hi|hello|ok|well|now),? )*(?:(?:a|an|the|my|her|his|our|their|one of (?:my|our|the)|another|some|WHO's|(?:the )?patient's) (?:\w+ )?)?{_KIN}s? (?:also |just |once )?{_TELLS}\b,?(?: that)?\s+(?=\S+ \S)"
)
_WHETHER = re.compile(r"^(?:if|whether)(?: or not)? (?=\S+ \S)")
_HOW_MANY = re.compile(
    r"\b(?:how many|(?:what|which) (?:share|percent\w*|proportion|fraction) of)(?: of)?(?: the| all| those)? (?:patients?|people|members|persons|requests?) (?:(?:\w+ )?(?:get|gets|are|is|were|be|do get) )?(?=(?:\w+ )?(?:denied|approved|refused|rejected|turned down|accepted)\b)"
)
_REPORTED = re.compile(rf"\b{_TELLS}\b")
_OF_OTHERS = re.compile(
    r"\s*\b(?:for|from|of|with|by|to|on|like) (?:an |some |the |my |our |a |two |2 |several |many )*(?:other|others|another|different|previous) (?:patients?|people|person|members?|one|ones)\b"
)
_GENERAL = re.compile(
    r"\b(?:polic(?:y|ies)|plans?|criteria|labels?|rules?|coverage|guidelines?|insur\w+|payers?|PLAN|bulletin|document|formulary|indicated|fda|pa|usually|typically|generally|normally|in general|should)\b"
)
_PLURAL = re.compile(
    r"\b(?:which|what(?: kinds? of| type of| sort of)?|all|most|any|every|some|how many)(?: of the)? (?:\w+ )?(?:patients|people|members|patient|person|member)\b"
)
_OURS = re.compile(
    r"\b(?:my|our|your|other|another|different|next|previous)\b(?! (?:plan|policy|insurance|payer))|\b(?:show|list|find|pull|give|count)\b"
)
_NEXT = re.compile(
    r"^\W*(?:(?:and|but|so|ok|hi|hello|also),? )*(?:(?:after (?:this one|this|her|him|that)|later|next|afterwards?),? )?(?:i|we)(?:'ve| have|'ll have| will have)?(?: got| to see)? (?:\w+ )?(?:(?:another|other|more|a new|a second|a different|two more|2 more|several) (?:patients?|pts?|one|cases?)|(?:someone|somebody) else)\b(?!.*(?:\?|WHO|\bwho\b|\bwhose\b|\bnamed\b|\bcan\b|\bdoes\b|\bis\b))"
)


def without_others(text: str) -> str:
    """The piece without who says it, past requests of others that are reported, and patients in general."""
    said = _SAID.sub("", text)
    if said != text:
        said = _WHETHER.sub("", said)
    if _HOW_MANY.search(said) and not _OURS.search(said):
        said = _HOW_MANY.sub("how often are requests", said)
    if _REPORTED.search(text):
        said = _OF_OTHERS.sub("", said)
    if _GENERAL.search(said) and not _OURS.search(said):
        said = _PLURAL.sub("patients", said)
    return said


_TOLD_TO = re.compile(
    r"^.{3,40}\b(?:wants?|wanted|asks?|asked|tells?|told|needs?|would like|expects?|begs?|begged) (?:you|us|me|that you)(?: all)? to\s+(?=\S+ \S)"
)


def told_to(text: str) -> str:
    """What the piece says that somebody wants done; empty if it says no such thing."""
    match = _TOLD_TO.match(text)
    return text[match.end() :] if match else ""


_THEN = re.compile(r"\b(?:after (?:this|her|him|that)|afterwards?|later|waiting|next|to come|in a minute)\b")
_THIS_ONE = re.compile(r"^\W*first\b|\bthis (?:one|patient|pt|lady|guy|person)\b")


_DONE = re.compile(
    r"\b(?:done|finished|through) with (?:the|my|that|our) (?:other|last|previous) (?:patients?|pt|one|case)\b"
)
_MANY = re.compile(
    r"^(?!.*\b(?:show|list|find|compare|give|tell|my|our|your|who)\b).*\b(?:other|most|many|some|several|all) (?:patients|people)\b"
)


# Somebody of the patient's, or of the person who asks, whose own story leads up to the question.
_STORY = re.compile(
    rf"^\W*(?:(?:so|and|but|hi|well|also|ok),? )*(?:(?P<whose>her|his|their|the patient's|patient's|this patient's|WHO's|my|our) (?:\w+ )?{_KIN}|an? (?:\w+ )?{_KIN} of (?P<of>hers|his|theirs|the patient|this patient|the pt|mine|ours|WHO))\b(?!'s)"
)
_STILL_THEIRS = re.compile(rf"\b(?:{_KIN}|WHO)\b")
_THE_PATIENT = re.compile(
    r"\b(?:the|this|our|my) (?:patient|pt|member)\b|\bthis one\b|^\W*(?:does|is|will|can) pt\b"
)


def _leads_up(text: str, others: list[str]) -> bool:
    """A story of the patient's kin or friends, after which the patient is asked about: "Her cousin got it. Can she?"
    A pronoun that cannot be the patient's, or a story of the speaker's own people, leaves it open who is meant."""
    match = _STORY.match(text)
    asked = " ".join(others)
    if match is None or not asked or _STILL_THEIRS.search(asked):
        return False
    whose = match.group("whose") or match.group("of")
    if whose in ("my", "our", "mine", "ours"):
        return bool(_THE_PATIENT.search(asked))
    other = {"her": r"\b(?:he|him|his)\b", "his": r"\b(?:she|her|hers)\b"}.get(
        whose.removesuffix("s") if whose == "hers" else whose
    )
    return not (other and re.search(other, asked))


_AUX = r"\b(?:can|could|does|did|do|is|will|would|may|might|has)"
_HAVES = r"(?:get|have|qualif\w+|eligible|meet|be|take|start|covered|approved|on)\b"
_ASKED_OF = {
    "her": re.compile(rf"{_AUX} (?:he|him)\b"),
    "his": re.compile(rf"{_AUX} (?:she|her)\b"),
}
_OF_KIN = re.compile(rf"{_AUX} (?:the|that|this|her|his) {_KIN} {_HAVES}")


def of_another(texts: list[str]) -> bool:
    """Whether a story of kin is followed by a question that can only be about them: "Her husband … Can he get it?" """
    for at, text in enumerate(texts[:-1]):
        match = _STORY.match(text)
        if match is None or "?" in text:
            continue
        whose = (match.group("whose") or match.group("of")).removesuffix(
            "s" if match.group("of") == "hers" else ""
        )
        asked = " ".join(texts[at + 1 :])
        if _OF_KIN.search(asked) or (whose in _ASKED_OF and _ASKED_OF[whose].search(asked)):
            return True
    return False


def only_told(text: str, others: list[str]) -> bool:
    """A statement of somebody else that asks nothing of them: they are to come, are done with or are many, or what
    is asked beside it is asked of "this one"."""
    if "?" in text or "WHO" in text:
        return False
    if any(_THIS_ONE.search(other) for other in others) or _DONE.search(text) or _MANY.match(text):
        return True
    if _leads_up(text, others):
        return True
    return bool(_THEN.search(text)) and bool(_NEXT.match(text.rstrip(" .!")))
