"""The words by which each reason is told.

For every code: `finding` says by itself that this went wrong ("has not tried"); `rule` says only what is asked for
("must first try"), and counts where the letter asserts it or goes on to say what falls short; `topic` is what it is
about, for lines that are marked as a reason.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from tools.terminology.medicines import STEP_CLASSES, medicines_of

NOT = (
    r"(?:\b(?:not|never|no|none|neither|nor|without|cannot|fail(?:s|ed|ure)?(?: to)?|lacks?|lacking|"
    r"absence of|unable to)\b|n't\b)"
)
IS = r"(?:is|was|are|were|be|been|has been|have been|has|have|had)"
_GAP = r"[^.;:]{0,60}?"
_FORMULARY = (
    r"(?:formular(?:y|ies)|(?:preferred )?drug list|list of (?:covered|preferred) (?:drugs|medicines"
    r"|medications)|"
    r"covered[- ]drugs? list|PDL\b|(?:drugs|medicines|medications) (?:that )?(?:we|the plan|your plan|it)"
    r" covers?)"
)
_PAPERS = (
    r"(?:documentation|documents?|papers?|logs?|pages?|records?(?! (?:that|of)\b)|(?:chart|office"
    r"|clinic(?:al)?|progress|visit|program) notes?|notes?|"
    r"(?:lab(?:oratory)?|test) (?:results?|reports?|work|values?|data)|labs?\b|laborator\w+|information|"
    r"evidence|proof|fill history|"
    r"reports?|results?|answers?|repl(?:y|ies)|response to (?:our|the|your|their|that)\b|letter of medical"
    r" necessity|chart|statement|attachments?|"
    r"(?:a1c|hba1c|bmi|weight|sleep study)(?= (?:value|result|reading|report|date|was not (?:sent"
    r"|submitted|provided))))"
)
_CAME = (
    r"(?:provided|submitted|included|received|attached|enclosed|sent|supplied|furnished|given|faxed"
    r"|legible|complete|on file|"
    r"found|available|in the (?:file|request|submission)|with the request|accompan\w+|come|came"
    r"|arrive[ds]?|reach(?:ed)?|present|"
    r"follow(?:ed)?|returned|among (?:them|the|it))"
)
_TESTS = (
    r"(?:bmi|body[- ]mass[- ]index|(?:hb)?a1c|h(?:a)?emoglobin a1c|glycated h\w+|ahi|apnea[- ]hypopnea"
    r"|egfr|uacr|"
    r"(?:body )?weight|blood sugar|ejection fraction|lvef)"
)
_CLASSES = (
    r"(?:sulfonylureas?|sglt-?2\w*(?: inhibitors?)?|glp-?1\w*|dpp-?4\w*|insulin|biguanide|"
    r"(?:preferred|first[- ]line|covered|formulary|generic|other|alternative|lower[- ]cost|required"
    r"|prerequisite|step) "
    r"(?:\w+ ){0,2}?(?:drugs?|medic(?:ines?|ations?)|agents?|products?|therap(?:y|ies)|alternatives?"
    r"|treatments?|ones?))"
)
_STATES = (
    r"(?:medullary thyroid|\bMTC\b|MEN ?-?2|multiple endocrine|pancreatitis|pregnan\w+|gastroparesis"
    r"|ketoacidosis|dialysis|"
    r"end[- ]stage|hypersensitiv\w+|allerg\w+|eating disorder|bulimia|anorexia|suicid\w+|nursing"
    r"|breast-?feeding)"
)
_PEOPLE = (
    r"(?:you|he|she|they|member|patient|enrollee|person|participant|insured|beneficiary|subscriber|pt|"
    r"[A-Z][a-z]+)"
)
_LESS = (
    r"(?:below|under|less than|lower than|short of|fewer than|beneath|not reach(?:ed)?|does not reach|"
    r"insufficient|inadequate)"
)


_YEARS = (
    r"(?:\d{1,2}|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|adults?)"
)


class Cue(NamedTuple):
    finding: re.Pattern[str]
    rule: re.Pattern[str]
    topic: re.Pattern[str]


@cache
def cues() -> dict[str, Cue]:
    """Code → its cues, the more specific codes first."""
    drug = rf"(?:{_names()}|{_CLASSES})"
    return {
        code: Cue(*(re.compile(_with_decimals(words) or r"(?!)", re.IGNORECASE) for words in patterns))
        for code, patterns in _written(drug).items()
    }


def _with_decimals(words: str) -> str:
    """A full stop within a number ends no clause."""
    return words.replace("[^.;]", r"(?:[^.;]|\.(?=\d))").replace("[^.;:]", r"(?:[^.;:]|\.(?=\d))")


def _names() -> str:
    names = {name.casefold() for row in medicines_of(STEP_CLASSES) for name in (row.name, *row.synonyms)}
    every = sorted(names, key=lambda name: (-len(name), name))
    return r"(?<![\w-])(?:" + "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in every) + r")\b"


def _written(drug: str) -> dict[str, tuple[str, str, str]]:
    return {
        "refill_too_soon": (
            r"refill(?:ed)? (?:is |was |request(?:ed)? )?(?:too (?:soon|early)|early)|too (?:soon|early)"
            r" (?:for|to) (?:a |the )?(?:re)?fill|"
            rf"(?:next (?:re)?fill|refill|fill)\b{_GAP}\bnot (?:payable|due|allowed|covered|possible)(?:"
            rf" until| before)?|early refill|"
            rf"(?:re)?fill(?:ed)? (?:is |was )?(?:not )?(?:payable|due|possible|available|allowed) (?:only"
            rf" )?(?:on|from|after|until)|"
            r"(?:still |should )(?:have|has|hold)\b[^.;]{0,30}\b(?:days|supply) (?:left|remaining|on hand)|"
            r"(?:days|supply)[^.;]{0,25} (?:left|remaining|not (?:been )?used up|on hand)",
            "",
            r"\brefill|too (?:soon|early)|next fill",
        ),
        "not_eligible": (
            rf"(?:{NOT}(?: longer| currently| yet)?|in)[- ]?(?:eligible|enrolled|active|insured|a member"
            rf"|an? active member)\b"
            r"(?! for (?:external|an? external|review|expedited))|"
            rf"(?:coverage|eligibility|enrol?lment|membership|policy|benefits?) (?:(?:under|in|with)"
            rf" [^.;]{{0,30}})?(?:had |has |was |is )?(?:already )?"
            r"(?:ended|terminated|termed|lapsed|expired|inactive|not active|cancell?ed|ran from|stopped"
            r"|closed)|"
            r"left (?:the|your|his|her|that|our) (?:group|plan|employer|company|job)|last day of (?:work"
            r"|employment|cover\w*)"
            r" (?:was|is)|"
            rf"(?:coverage|plan|policy|membership|enrol?lment)\b[^.;]{{0,40}}\bnot (?:in effect|in force"
            rf"|active|yet (?:begun|started))|"
            r"no (?:active |current )?(?:coverage|membership|enrol?lment|eligibility) (?:on|for|with|was"
            r"|is|found|in)|"
            r"(?:cannot|could not|unable to|can't|couldn't) (?:find|locate|identify|verify) (?:the |this "
            r"|an? |any )?(?:member(?:ship)?|eligib\w+|enrol?l\w+|active|person)",
            "",
            r"eligib|enrol|not covered by|membership|coverage (?:end|term)",
        ),
        "duplicate_therapy": (
            r"duplicat\w+ (?:of )?(?:therapy|therap\w+|treatment|drugs?|glp|sglt|dpp|class|medic\w+|use)"
            r"|(?:therapeutic|therapy) duplicat\w+|"
            r"\bduplicates\b|(?:same|one) (?:drug )?(?:class|kind|type|group|family) (?:of (?:drug"
            r"|medic\w+) )?(?:as|with|at)|(?:is|are) (?:also )?(?:of |in |from |a drug (?:of|from|in)"
            r" )?the same (?:drug )?(?:class|kind|type|group|family)|"
            rf"(?:can't|cannot|may not|must not|not be|not) (?:be )?(?:have|take|used?|taken|cover(?:ed)?"
            rf"|pay for|paid)\b{_GAP}\b(?:both|together|two)\b|"
            rf"(?:already|still|also|currently) (?:\w+ ){{0,2}}?(?:takes?|taking|on|fill(?:s|ed|ing)"
            rf"|us(?:es?|ing)|receiv\w+|getting|prescribed)\b{_GAP}"
            rf"(?:{drug}|another|same class)(?=[^.;]{{0,80}}(?:same|both|class|together|another|two"
            rf"|duplicat|kind))|"
            r"(?:\bnot|n't|cannot)\b[^.;]{0,40}\b(?:alongside|along with|together with|on top of)\b|same"
            r" (?:active )?(?:substance|ingredient)|"
            r"two (?:glp|sglt|dpp|incretin)\S*(?: \w+){0,3}|concurrent(?:ly)?\b[^.;]{0,30}\b(?:glp|sglt"
            r"|dpp|same|another)",
            rf"(?:already|currently|still|continues? to|goes on) (?:takes?|take|draw\w*|fill|use|get"
            rf"|receive|taking|receiv\w+|gets?|getting|fills?|filling|on|us(?:es?"
            rf"|ing))\b[^.;]{{0,20}}?{drug}|"
            rf"(?:not|n't|no)\b[^.;]{{0,40}}\b(?:together|at the same time|concurrent\w*|combin\w+|with"
            rf" another)\b",
            r"duplicat|same class|concurrent|at the same time|another (?:glp|dpp|sglt)|together with",
        ),
        "exclusion": (
            rf"(?:is|are|was|be) (?:\w+ )?contra-?indicated|contra-?indicated (?:for|in|because|due)"
            rf"|contra-?indication (?:is|was|exists|applies|on|noted|of record|/)|rule[sd]? (?:it |this "
            rf"|the (?:drug|request) )?out(?: the (?:request|drug))?|"
            rf"(?:history|diagnosis|diagnosed|had|has|have|having|with|reports?|lists?|records?|documents?"
            rf"|notes?|shows?|because of|due to|is|are|currently)\b{_GAP}{_STATES}|"
            rf"{_STATES}{_GAP}(?:rules? out|bars?|exclu\w+|prevents?|prohibits?|warning|is (?:on record"
            rf"|documented|recorded|noted))|"
            r"(?:exclusion (?:criteri\w+|applies)|excluded condition|safety exclusion)|boxed warning|(?:is"
            r"|are|was) withheld",
            rf"{_STATES}|must not (?:be )?(?:given|used|take)",
            rf"{_STATES}|contraindicat|exclusion criteri",
        ),
        "quantity_limit": (
            r"(?:quantit(?:y|ies)|qty|dos(?:e|es|age|ing)|amount|units?|pens?|tablets?|injections?|mL"
            r"|supply|request(?:ed)?|it|this|which|that)\b"
            rf"{_GAP}(?:exceed\w*|(?:is |are |was |goes )?(?:over|above|beyond|higher than|greater than"
            rf"|more than|in excess of))\b{_GAP}"
            r"(?:limits?|maximum|max\b|allow\w*|label\w*|plan|cap\b|cover\w*|permit\w*|per (?:\d+"
            r" )?(?:days|month)|a day|daily|quantity)|"
            r"(?:plan|quantity|dose|dosage|supply|dispensing) limit(?:ation)?s? (?:was |were |is |are |has"
            r" been )?exceeded|exceeds? (?:the |our |your )?(?:maximum|quantity|plan|dose|daily|dispensing"
            r"|limit)|"
            r"(?:over|above|beyond|exceeds|more than) (?:the |our |your |its )?(?:plan(?:'s)?"
            r" )?(?:quantity |dose |monthly |daily |dispensing |supply )?(?:limit|maximum|max|cap)\b|"
            r"(?:twice|double|three times|more than) the (?:label\w*|maximum|usual|approved) (?:dose|amount"
            r"|quantity)|"
            r"(?:twice|double|three times|more than) (?:what|the (?:amount|quantity|number))"
            r" [^.;]{0,25}(?:allow|cover|pay|permit)\w*|"
            r"\d[^.;]{0,25}(?:where|while|but|whereas|against)\b[^.;]{0,40}\b(?:maximum|limit|max|allow\w*"
            r"|cap)\b|"
            rf"only \d+[^.;]{{0,25}}(?:per|every|a|each) (?:\d+ )?(?:days?|weeks?"
            rf"|months?)\b[^.;]{{0,30}}(?:covered|allowed|payable|paid)|excessive (?:quantity|dose|dosage)",
            r"(?:covers?|allows?|limit(?:ed)?|maximum|up to|no more than|pays?"
            r" for)\b[^.;]{0,40}\d[\d.]*\s?(?:mL|pens?|tablets?|injections?|units)[^.;]{0,20}(?:per|every"
            r"|a|each|in|for) ",
            r"quantity|\bqty\b|dose limit|(?:plan )?limit(?:ation)?s? exceeded|maximum (?:daily )?dose"
            r"|dosage|too (?:many|much)",
        ),
        "age": (
            rf"(?:under|below|younger than|less than|not yet|not) (?:the (?:minimum |required )?age|the"
            rf" \d{{1,2}} years|(?:age )?(?:of )?\d{{1,2}} years|\d{{1,2}} years|the age of|age \d)|"
            rf"age (?:requirement|limit|criteri\w+|edit|restriction|minimum)\b{_GAP}\b(?:not met|not"
            rf" satisfied|fail\w*|exceeded)|(?:does not|doesn't|not) meet {_GAP}\bage\b|"
            rf"(?:is|aged|was|turned) (?:only )?{_YEARS}\b[^.;]{{0,60}}\b(?:licen[cs]ed|approved|labell?ed"
            rf"|allowed|covered"
            rf"|starts?|opens?) (?:only )?(?:from|for|at|to)\b[^.;]{{0,20}}{_YEARS}|"
            r"too (?:young|old)|(?:minimum|required) age\b[^.;]{0,40}\b(?:is|are|was) (?:only )?\d|"
            r"(?:\b1[0-9]|\b4[05]|\bage[sd]?\b)[^.;]{0,12}(?:years )?(?:and|or) (?:older|over"
            r"|above)\b[^.;]{0,60}\b(?:is|are|was|only|aged?|turned)\b[^.;]{0,12}\d{1,2}\b|"
            r"(?:you|he|she|patient|member|child)(?: is| are|'s|'re) (?:only )?\d{1,2}(?:"
            r" years)?\b[^.;%]{0,60}(?:older|minimum|from age|at least|starts? at)",
            r"(?:must be|at least|minimum age|only for|approved for|for) [^.;]{0,25}\b\d{2} (?:years"
            r" )?(?:of age|old|and older|or older|years)",
            r"\bage\b|years (?:old|of age)|\byoung",
        ),
        "diagnosis_mismatch": (
            r"(?:diagnos[ei]s|icd-?(?:10)?|dx|codes?|indication|condition|use|reason for use"
            r"|purpose)\b[^.;]{0,70}?(?:"
            r"(?:do(?:es)?|did|is|was|are|were) ?(?:not|n't) (?:\w+ ){0,2}?(?:match|support\w*|covered"
            r"|approved|accepted|a covered|qualify\w*|listed|one|among|correspond|consistent|an? (?:fda"
            r"|approved|accepted|covered|medically|labell?ed))|"
            r"not (?:\w+ )?(?:supported|covered|approved|accepted|listed|matching|consistent)|mismatch"
            r"|conflict|unsupported|invalid)|"
            rf"(?:{NOT})\b{_GAP}(?:fda[- ]approved|medically[- ]accepted|labell?ed|approved|accepted"
            rf"|covered) (?:indication|use|diagnos[ei]s|for (?:that|this|the (?:condition|diagnosis|use)"
            rf"|use|type|treat))|"
            rf"(?:isn't|not|n't) (?:fda[- ])?(?:approved|indicated|labell?ed|covered|authorized) (?:for|to"
            rf" treat|in) (?!you\b|your)|off[- ]label|no (?:\w+ )?indication\b(?! (?:that|of|whether|why))|"
            rf"only (?:when|if|where|for) (?:it is |it's )?(?:(?:being )?used |prescribed |taken )?(?:for "
            rf"|to treat |the treatment of |patients with |people with |members with )?(?:the"
            rf" )?(?:treatment of |treat )?(?:type 2|diabet|obes|sleep|heart|kidney|cardio|chronic)|"
            rf"{NOT} (?:\w+ ){{0,4}}?(?:diagnos[ei]s|diagnosed|show(?:n|s)? (?:that )?{_PEOPLE} ha(?:s|ve)"
            rf"|have|has|having) (?:of |with |that )?(?:\w+ )?(?:type[- ]?(?:2|ii)|t2dm?|diabetes|obesity"
            rf"|sleep apnea|covered diagnosis|qualifying diagnosis)|"
            rf"(?:code|diagnosis|dx|icd)\b[^.;]{{0,50}}?\b(?:is|was|shows?|means?|of"
            rf"|for)\b[^.;]{{0,20}}?(?:type 1|prediabetes|pre-diabetes)",
            r"(?:only|solely) (?:for|to treat|when used)(?! (?:people|members|adults|patients|those"
            r"|children)\b(?! with))|(?:approved|covered|indicated) (?:only )?(?:for|to treat)(?! (?:\w+"
            r" )?months?| \d| (?:people|members|adults|patients|those|children)\b(?! with))",
            r"diagnos|\bicd|indication|\bdx\b|accepted use|approved use|off-label",
        ),
        "step_therapy": (
            rf"(?:{NOT}|only(?! (?:when|if|for|where))|less than|fewer|inadequate|insufficient|incomplete"
            rf"|too short|short)\b(?![^.;]{{0,15}}\b(?:require|need))(?! (?:been )?(?:submitted|sent"
            rf"|received|provided|enclosed"
            rf"|supplied))(?! to (?:use|take"
            rf"|give))[^.;]{{0,50}}?\b(?:tr(?:y|ied|ial|ials|ying)|tak(?:e|en|ing)|us(?:e|ed|ing)"
            rf"|complet\w+|fail(?:ed|ure)|fills?|filled|first|attempt\w*|exhaust\w*|start\w* with|record"
            rf"|claims?|history|days|course|step)\b[^.;]{{0,50}}?{drug}|"
            rf"{drug}[^.;]{{0,60}}?(?:{NOT}|only(?! (?:when|if|for|where))|fewer|less than|inadequate"
            rf"|insufficient|too short|short)\b[^.;]{{0,30}}?\b(?:tr(?:ied|ial|y)|taken|used|completed"
            rf"|fills?|filled|days|weeks|months|record|claims?|history|first|long enough|attempted)\b|"
            r"\b(?:agents?|drugs?|medicines?|medications?|alternatives?)\b[^.;]{0,50}\b(?:only )?one (?:of"
            r" (?:them|these) )?(?:has|was) (?:been )?|"
            r"only one\b[^.;]{0,40}\b(?:has|have|was) (?:been )?(?:tried|used|taken|$|[.,;])|only one,"
            r" \w+, (?:has|was)|"
            rf"neither {drug} (?:n?or|and) {drug}|{drug} (?:was|were) (?:stopped|discontinued|given up"
            rf"|abandoned|ended|left off)"
            r" (?:after|within) (?:only )?(?:\w+ )?(?:days?|weeks?|months?)|"
            rf"step[- ]?(?:therapy|edit)?(?: requirements?| criteri\w+| protocol)? (?:\w+ ){{0,3}}?(?:not"
            rf"|n't|un)[ -]?(?:been )?(?:met|satisfied|complete\w*|fulfilled|followed|shown|done)|"
            rf"(?:alternate|alternative|other|another|different) (?:drug|medic\w+)(?: therapy)? (?:is"
            rf" )?(?:required|must be tried)|"
            rf"(?:couldn't|could not|cannot|can't|do(?:es)?n't|do not|did not|didn't|unable to) (?:find"
            rf"|see|show|confirm|locate|verify)\b[^.;]{{0,40}}\b(?:tried|used|taken|trial|either|any of"
            rf" (?:them|these))|"
            r"(?:neither|none|only one) (?:of (?:these|them|those|which) )?(?:has|have|had|was|were|is"
            r"|appears?) (?:been )?(?:tried|used|taken|filled|found)|"
            rf"(?:has|have|had) {NOT}(?: yet)? (?:been )?(?:tried|used|taken)\b(?! (?:part|up|place))"
            rf"|(?:prerequisite|first-line|preferred) (?:\w+ ){{0,2}}(?:not|never)",
            rf"(?:must|need(?:s|ed)?(?: to)?|required?(?:s|d)?(?: to)?|has to|have to|asks?|expects?"
            rf"|looks? for|should|want|first|before|prior to|once|after|places?)\b[^.;]{{0,60}}?{drug}|"
            rf"{drug}[^.;]{{0,50}}?\b(?:first|before|must|required|needed|are used|is used|been used|been"
            rf" tried)|(?:tr(?:y|ied|ial)|fail(?:ed|ure)?)\b[^.;]{{0,40}}?{drug}|try [^.;]{{0,30}}first"
            rf"|step therapy",
            rf"step[- ]?(?:therapy|edit)|\b(?:try|tried|trial|fail|prerequisite)\b|first[- ]line|preferred"
            rf" (?:agents?|drugs?|alternatives?)|(?:days|weeks|months?) (?:of|on) {drug}"
            rf"|{drug}[^.;]{{0,25}}(?:days|weeks|months|trial|or longer|first)",
        ),
        "insufficient_documentation": (
            rf"{_PAPERS}\b[^.;]{{0,60}}?(?:{NOT})\b(?: \w+){{0,3}}? (?:been )?{_CAME}|"
            r"\bnot (?:been )?(?:submitted|received|sent|provided|enclosed|included|supplied)\s*:|"
            rf"(?:{_TESTS}|{_PAPERS})\b[^.;]{{0,20}}\b(?:value|date|result) (?:is |was )?not (?:supplied"
            rf"|given|stated|sent)|"
            rf"{NOT}\b(?! (?:\w+ ){{0,2}}required)(?: [\w'-]+){{0,4}}? {_PAPERS}\b[^.;]{{0,60}}?\b{_CAME}|"
            rf"(?:did ?n[o']t|never|has ?n[o']t|have ?n[o']t|had ?n[o']t|do ?n[o']t|does ?n[o']t|not)"
            rf" (?:\w+ )?(?:received?|send|sent|gotten|get|got|include[d]?|provided?|have|has|contain"
            rf"|attach(?:ed)?|suppl(?:y|ied)|submit(?:ted)?|enclosed?|answer(?:ed)?"
            rf"|show)\b[^.;]{{0,50}}?{_PAPERS}|"
            rf"{_PAPERS}\b[^.;]{{0,40}}?\b(?:missing|incomplete|absent|lacking|illegible|unreadable"
            rf"|outdated|out of date|stale|insufficient|inadequate|too old|older than|are wanting|is"
            rf" wanting|still outstanding)|"
            rf"(?:missing|incomplete|insufficient|inadequate|lack of|lacking|absent|without|outdated"
            rf"|needs?|await\w*|want of)\b(?: \w+){{0,3}}? {_PAPERS}|"
            rf"(?:additional|more|further|clinical|supporting) (?:clinical |medical |supporting"
            rf" )?(?:information|documentation|details?|records) (?:is|are|was|were|has been|must be|will"
            rf" be)? ?(?:still )?(?:required|needed|requested|necessary|wanted|asked)|"
            rf"(?:need|require|request(?:ing)?|want|ask(?:ing)? for|await\w*) (?:\w+ )?(?:more|additional"
            rf"|further) (?:\w+ )?(?:information|details|documentation|records|facts)|"
            rf"{_TESTS}[^.;]{{0,50}}?(?:(?:is |was )?(?:older than|more than \d+ \w+ old|too old|out of"
            rf" date|outdated|not recent|not current|stale|expired))|"
            rf"{NOT}\b[^.;]{{0,25}}?{_TESTS}[^.;]{{0,60}}?\b{_CAME}|{_TESTS} [^.;]{{0,30}}?\b{NOT}\b(?:"
            rf" \w+){{0,2}} (?:provided|submitted|included|received|attached|enclosed|sent|supplied"
            rf"|documented|reported|recorded|stated|given|in the)|"
            rf"(?:unable to|cannot|can't|can not|could not|couldn't|not possible to) (?:\w+ )?(?:determine"
            rf"|tell|establish|confirm|verify|complete|finish|conclude|judge|assess|decide)|"
            rf"(?:did|has|have|had|does|do) ?(?:not|n't) (?:yet |been )?(?:send|sent|submit(?:ted)?"
            rf"|provided?|give|given|suppl(?:y|ied)|enclosed?|attach(?:ed)?|fax(?:ed)?|upload(?:ed)?"
            rf"|forward(?:ed)?|accompanied)\b|(?:was|were) not accompanied|\b(?:file|form|request"
            rf"|submission|application|record)s? (?:is|was|are|were) (?:\w+ )?(?:incomplete|not complete)"
            rf"|(?:is|are|was|were) missing from|(?:is|are|was|were|been) (?:omitted|left (?:out(?! of)"
            rf"|blank|off|empty|unanswered))|(?:instead|in place|in lieu) of (?:the |an? )?(?:\w+"
            rf" )?(?:{_PAPERS}|study|original)|(?:filing|request|claim|submission|file|form) (?:\w+"
            rf" )?(?:lacks?|lacked|is missing|omits?|omitted)\b|"
            rf"(?:asked|requested|wrote|called)\b[^.;]{{0,70}}?(?:\b(?:no|not|without|never)\b"
            rf"|n't\b)[^.;]{{0,20}}?\b(?:hear|heard|repl\w+|response|answer\w*|respond\w*)|"
            rf"\bwe (?:still )?(?:need|require|lack|miss)\b[^.;]{{0,30}}?{_PAPERS}|"
            rf"{_PAPERS}\b[^.;]{{0,40}}?(?:do(?:es)?|did) ?(?:not|n't) (?:include|contain|mention|state"
            rf"|give|list|provide|have|say)\b(?! (?:one|it|any|either|such|that)\b)|"
            rf"does ?n[o']t (?:let|allow|enable|permit) us(?: to)? (?:finish|complete|decide|judge|tell"
            rf"|determine)|not (?:been )?(?:documented|substantiated)|undocumented|{NOT} (?:\w+"
            rf" )?(?:documentation|proof|evidence) (?:of|that|was|were|to)",
            rf"(?:please|kindly|must|need to|should) (?:\w+ )?(?:send|submit|provide|supply|attach|include"
            rf"|enclose|fax|upload)\b[^.;]{{0,60}}{_PAPERS}|(?:must|should|to) be (?:accompanied|supported"
            rf"|documented)",
            rf"{_PAPERS}|document",
        ),
        "non_formulary": (
            rf"(?:{NOT}|isn't|off)\b(?! (?:\w+ ){{0,3}}need)[^.;]{{0,30}}?(?:on|in|part of|included in"
            rf"|listed (?:on|in)|among|found (?:on|in)|appear (?:on|in))?\b[^.;]{{0,30}}?{_FORMULARY}|"
            rf"{_FORMULARY}[^.;]{{0,40}}\b(?:isn't|is not|not|n't) (?:one (?:of (?:them|these))|among them"
            rf"|on it|there)|"
            rf"list of (?:medicines|drugs|medications)\b[^.;]{{0,40}}(?:isn't|is not) (?:one of them"
            rf"|among them|on it)|"
            r"\bnon-?formulary(?: drug| medic\w+| product| status)?(?! exception)|off[- ]formulary|"
            rf"(?:not|isn't|n't) (?:an? |one of (?:the|our) |among (?:the|our) )?(?:covered|listed"
            rf"|formulary) (?:product|drug|medic\w+|item|brand)s?|not (?:among|one of) the (?:\w+"
            rf" )?(?:drugs|medic\w+) (?:that )?(?:are )?(?:covered|on)|"
            rf"(?:removed|dropped|taken) (?:off|from) {_GAP}{_FORMULARY}|drug not covered\b|product not"
            rf" covered|product/service not covered|ndc not covered|"
            rf"{_FORMULARY}[^.;]{{0,30}}?(?:does not|doesn't|do not) (?:include|list|contain)",
            "",
            r"formulary|drug list|not listed",
        ),
        "benefit_exclusion": (
            rf"(?:exclu(?:des?|ded|ding)|not a (?:covered )?benefit|non-?covered benefit|benefit exclusion"
            rf"|plan exclusion|contract exclusion|excluded (?:benefit|drug|service|class|category))(?!"
            rf" (?:criteri|condition))|"
            rf"(?:exclusion)\b{_GAP}(?:applies|benefit|plan|certificate|contract|weight)|"
            rf"(?:not|n't|never|no)\b[^.;]{{0,40}}?\b(?:cover\w*|pay(?:able|s)?(?: for)?|benefits?"
            rf"|coverage|include|reimburse\w*|provide\w*|available|buy|bought"
            rf"|purchase\w*)\b[^.;]{{0,50}}?(?:weight[- ](?:loss|reduc\w+|manag\w+|control\w*)|obes"
            rf"|slimming|cosmetic|lifestyle drugs|reduction of body|lose pounds|diet(?:ing)? (?:drugs"
            rf"|medic)|lose weight)|"
            rf"(?:weight|obes|cosmetic|slimming)[^.;]{{0,50}}?(?:are|is|were|was|be)? ?(?:not|n't|never"
            rf"|no) (?:a )?(?:\w+ )?(?:cover|paid|pay|benefit|includ|payable|reimburs)|"
            rf"(?:medicare|law|statute|federal|regulation|state)\b[^.;]{{0,40}}?(?:does not|doesn't|do not"
            rf"|forbids?|prohibits?|leaves?|excludes?|bars?|not let|not allow|not"
            rf" permit)[^.;]{{0,60}}?(?:drugs?|part d|medic|weight|cover|pay)|"
            r"no (?:benefit|coverage)s? (?:is|are|for|under)|outside (?:of )?(?:the|your|our) (?:pharmacy "
            r"|plan |drug )?benefits?|benefit (?:does not|doesn't) (?:include|extend|cover)|carved? out",
            "",
            r"exclu(?:ded|sion)|not a (?:covered )?benefit|weight[- ]loss (?:drug|medic)|benefit design",
        ),
        "pa_required": (
            rf"(?:prior[- ]auth\w*|pre-?auth\w*|pre-?cert\w*|\bPA\b|authorization|advance approval)(?: is|"
            rf" was| are|'s)?(?: \w+){{0,2}}? ?(?:required|needed|missing|absent|must be (?:obtained"
            rf"|requested)|(?:never|not) (?:been )?(?:obtained|requested|on file|found|given|in place"
            rf"|sought|submitted|asked))|"
            rf"(?:{NOT})(?: \w+){{0,2}} (?:prior[- ]auth\w*|pre-?auth\w*|pre-?cert\w*|PA\b|authorization"
            rf"|advance approval)[^.;]{{0,40}}?(?:on file|obtained|requested|found|exists?|given|in place"
            rf"|on record|submitted|sought|was|is|for this|had been)|"
            r"(?:nobody|no one|never|not|n't) (?:\w+ )?(?:asked|requested|sought"
            r"|obtained)\b[^.;]{0,20}\b(?:beforehand"
            r"|in advance|first|ahead)\b|before (?:any |an? |the |our )?authorization (?:had been|was|were"
            r"|is) (?:sought"
            r"|requested|obtained|given|asked)|"
            r"(?:has|have|had|needs?|must) (?:to )?(?:ask|get|obtain|have) (?:for )?(?:us|our (?:ok|okay"
            r"|permission|approval|consent|authorization)) (?:first|before|in advance)|"
            rf"(?:without|before|need(?:s|ed)?|requir(?:es?|ed|ing)|subject to|with)(?: a| an| our| the|"
            rf" any)? ?(?:prior[- ]auth\w*|pre-?auth\w*|pre-?cert\w*|PA\b|advance approval|approval in"
            rf" advance)(?![^.;]{{0,20}}(?:request|review|form|criteri|unit|department))",
            "",
            r"prior[- ]auth\w* (?:on file|obtained|required|needed|missing)|\bPA (?:required|req\b)|no"
            r" (?:prior )?authorization",
        ),
        "administrative": (
            rf"\bforms?\b[^.;]{{0,40}}?(?:no longer (?:accept|use|valid|in use)|outdated|obsolete|wrong"
            rf"|superseded|incorrect|expired|old version)|(?:wrong|outdated|obsolete|incorrect|old"
            rf"|superseded) (?:version of (?:the|our) )?(?:\w+ )?form|"
            rf"(?:not|n't|un)[ -]?(?:been )?signed|(?:missing|no|without|lacks?)(?: a| the| \w+'s)?"
            rf" (?:prescriber(?:'s)? )?signature|signature:? (?:is |was )?(?:missing|absent|illegible)|"
            rf"(?:fax|request|page)s? (?:is |was |were )?(?:illegible|unreadable|could not be read)"
            rf"|(?:returned|sent back|returning it|closed|rejected) (?:to you )?(?:un-?(?:processed"
            rf"|reviewed)|without (?:review|action|processing))|unprocessed|"
            r"duplicate (?:request|submission|of (?:a |an |your )?(?:earlier |pending |prior )?request)"
            r"|(?:request|case) (?:was |has been )?(?:withdrawn|already (?:been )?(?:decided|received|open"
            r"|under review))|"
            rf"(?:appeal|request|filing|it)\b[^.;]{{0,40}}?(?:untimely|filed too late|after the"
            rf" (?:deadline|filing|time limit)|out of time|too late)|"
            r"(?:prescriber|provider|physician|doctor)\b[^.;]{0,40}?\b(?:not (?:\w+ )?(?:enrolled"
            r"|registered|authorized to|in (?:the |our )?network|participating)|out[- ]of[- ]network)|"
            rf"{NOT} (?:an? )?authorized representative|npi\b[^.;]{{0,30}}(?:invalid|missing|not (?:valid"
            rf"|found|on file|match))|wrong (?:fax|department|plan|payer|office)|procedural (?:reason"
            rf"|denial)|technical denial",
            "",
            r"\bform\b|signature|signed|illegible|duplicate request|untimely|administrative|network",
        ),
        "medical_necessity": (
            rf"{_TESTS}[^.;]{{0,70}}?(?:{_LESS}|not (?:\w+ )?(?:met|reached|satisf\w+|high enough|at least"
            rf"|meet|qualif\w+)|does ?n[o']t (?:meet|reach|qualify|satisfy)|(?:where|while|and|but|when"
            rf"|whereas)\b[^.;]{{0,40}}?\b(?:rule|policy|plan|criteri\w+|guideline|asks?|requires?|needs?"
            rf"|must|wants?|minimum|threshold))|"
            rf"(?:{_LESS}|not (?:met|reached))[^.;]{{0,50}}?{_TESTS}|"
            rf"{NOT}\b[^.;]{{0,40}}?\b(?:comorbid\w*|co-?existing|weight-related|risk factor|qualifying"
            rf" condition|cardiovascular disease|established (?:cardio|athero)\w*)|"
            rf"{NOT}\b[^.;]{{0,50}}?\b(?:lifestyle|diet|exercise|weight(?:[- ](?:loss|management"
            rf"|control))?|behaviou?r\w*|nutrition|healthy living|wellness)\w*[^.;]{{0,20}}?(?:program"
            rf"|plan|counsel|modification|change|effort|intervention|attempt)|"
            rf"(?:lifestyle|diet|weight[- ]management|behaviou?ral?)[^.;]{{0,40}}(?:program|plan"
            rf"|modification|effort)\w*[^.;]{{0,50}}?(?:{NOT}|only|{_LESS}|too short)\b|"
            rf"(?:{NOT}|less than|fewer than|insufficient|inadequate|only)\b[^.;]{{0,60}}?\b(?:improve\w*"
            rf"|respon(?:se|d\w*)|benefit(?:ed)? from|lost (?:at|enough|the|\d)|lose\b|loss of|weight loss"
            rf"|reduc(?:ed|tion)\b|fallen\b|dropped\b|lowered\b|was lost|effect\b|work(?:ed|ing)\b"
            rf"|help(?:ed|ing)\b)|"
            rf"{_TESTS}[^.;]{{0,40}}?\d[^.;]{{0,40}}?\b(?:where|while|whereas|against|versus|and"
            rf" not)\b[^.;]{{0,30}}?\d|(?:put on|gained)\b[^.;]{{0,20}}\b(?:pounds?|lbs?|kg|weight)|"
            r"no sign that|weight\b[^.;]{0,80}\b(?:above|higher than|more than"
            r"|over)\b[^.;]{0,30}\b(?:start|baseline|before|began|beginning)|"
            r"(?:has|have|had) (?:gained|risen|gone up|increased)|(?:weight|a1c)[^.;]{0,40}?(?:rose"
            r"|unchanged|did not (?:fall|change|drop|improve))|"
            rf"(?:prescribed|consult\w*|seen)[^.;]{{0,30}}{NOT}[^.;]{{0,30}}?(?:specialist|endocrinolog\w+"
            rf"|cardiolog\w+|sleep)|{NOT}\b[^.;]{{0,50}}?(?:specialist|endocrinolog\w+"
            rf"|cardiolog\w+)[^.;]{{0,30}}?(?:prescrib\w+|consult\w+|involved|order\w+)?",
            rf"(?:ask(?:s|ed)?|require[sd]?|need(?:s|ed)?|must|calls? for|at least"
            rf"|minimum)\b[^.;]{{0,60}}?{_TESTS}|{_TESTS}[^.;]{{0,40}}?(?:of|at least|over|above|or"
            rf" (?:more|higher|above)|≥|>=|>|<|≤|must|required)",
            rf"{_TESTS}|comorbid|lifestyle|diet|criteri|medical(?:ly)? necess|weight loss|guideline"
            rf"|respon[sd]|specialist|renewal",
        ),
    }


GENERIC = re.compile(
    r"(?:not|n't|nor|fails? to|failed to|unmet)\b[^.;]{0,40}?\b(?:medically necessary|medical necessity)|"
    r"medical(?:ly)? necess(?:ity|ary)\b[^.;]{0,40}?\b(?:not|n't|never)\b (?:\w+ )?(?:shown|established"
    r"|demonstrated|met|proven|satisfied|supported)|"
    r"(?:do(?:es)?|did|has|have|had|is|are|was|were)? ?(?:not|n't) (?:\w+ )?(?:meet|met|satisf\w+"
    r"|fulfil\w*|qualify|qualified)\b|\bnot within what|outside (?:of )?what|falls? (?:short|outside)"
    r"|unmet\b|fails? to (?:meet|satisfy)|not eligible for approval",
    re.IGNORECASE,
)
