# ruff: noqa: E501 - a pattern is read more easily on one line than in pieces
"""What is asked of a request that was made: where it stands, whether and what the payer answered, what is due.

Two grades. `asked` is what only a case can mean. `might` is what is also asked of the rules ("how long do we have to
appeal?"): where a case is open it is asked of the case, and else of what it would be asked of without one.
"""

from __future__ import annotations

import re
from typing import Literal

Side = Literal["standing", "answer", "said", "filing", "due", "calls", "sent", "approval"]

_PAYER = r"(?:they|(?:the |her |his |their |our |this |any(?:body|one) (?:at|from) the |some(?:body|one) (?:at|from) the )?(?:payers?|plan|insur(?:er|ance|ers)(?: company)?|health plan|pbm|reviewers?|iro|carrier)|medicare|medicaid|PLAN|any(?:body|one))"
_OF_PAYER = r"(?:them|(?:the |her |his |their |our |this )?(?:payers?|plan|insur(?:er|ance)(?: company)?|health plan|pbm|reviewers?|carrier)|PLAN)"
_OWN = r"(?:the|her|his|their|our|this|that|WHO's|patient's|the patient's|pt's|an|any)"
_USE = r"(?:DRUG |CLASS |ODD |internal |external |second |expedited |first |open |running |pending |current |authori[sz]ation )?"
# A bare "case" or "request" is one that is to be made as well, so it takes a case on record to mean that.
_APPEAL = rf"(?:{_OWN} )?(?:{_USE}(?:appeals?|denials?|redetermination|reconsideration|external review|fair hearing|peer.to.peer)|(?:open |running |pending |authori[sz]ation |DRUG )*(?:open|running|pending|authori[sz]ation) cases?)"
_REQUEST = rf"(?:{_OWN} )?{_USE}(?:requests?|submissions?|applications?|pa|prior auth\w*|authori[sz]ation|renewal|it)"
_LETTER = rf"(?:{_OWN} )?(?:DRUG )?(?:denial|decision|payer|plan|insurance|insurer|approval|pend|determination)(?:'s)? (?:letter|notice|response|reply|answer)"
_NEWS = r"(?:status|update|updates|news|progress|word|latest|state|development)"
_ANSWERED = r"(?:answer(?:ed)?|respond(?:ed)?|repl(?:y|ied)|decided?|get back|got(?:ten)? back|come back|came back|hear(?:d)? back|react(?:ed)?|ma[dk]e (?:a|any|their|its|the) decision|ma[dk]e up (?:their|its) minds?|reach(?:ed)? a decision|rule[ds]?|said anything|say anything|sent (?:us )?(?:anything|something|a letter|an answer)|send (?:us )?(?:anything|something|a letter|an answer))"
_SENT = r"(?:submit(?:ted)?|filed?|sent|send|faxed|fax|mailed|mail|put in|turned in|turn in|gone out|go out|went out|lodged?|uploaded?)"
_LED = r"^\W*(?:(?:so|and|but|ok|okay|hi|hello|hey|well|also|now|then|please|pls|quick question|remind me|tell me|can you tell me|could you tell me|do you know|i need to know|any idea)\W+)*"


_ASKED: tuple[tuple[Side, str, str], ...] = (
    ("calls", rf"\bwho\b.{{0,30}}\b(?:call(?:ed)?|phone[d]?|rang|spoke|speak|talk(?:ed)?)\b.{{0,24}}\b{_OF_PAYER}\b.{{0,12}}$|\bwho\b.{{0,24}}\b(?:last|most recently)\b.{{0,12}}\b(?:call\w*|phone\w*|rang|spoke|talked)\b", r"\b(?:do|should|can|could|must|would) (?:i|we)\b|\bto call\b"),
    ("calls", rf"\bwhen\b.{{0,16}}\b(?:did|was|were|have)\b.{{0,30}}\b(?:call(?:ed)?|phone[d]?|spoke|speak|talk(?:ed)?)\b.{{0,30}}\b{_OF_PAYER}\b|\bwhen\b.{{0,12}}\b(?:was|were) {_OF_PAYER} (?:last )?(?:called|phoned|contacted)\b|\bwho(?:m)? (?:did|have) (?:we|i|you|anybody|anyone|somebody) (?:last )?(?:speak|spoken|talk\w*|spoke|call\w*|phone\w*)\b", r""),
    ("calls", rf"\breference (?:number|no|#|id)?\b.{{0,16}}\bcalls?\b|\b(?:last|latest|previous|recent) (?:phone )?calls? (?:with|to) {_OF_PAYER}\b|\b(?:have|has|did|any) (?:we|anybody|anyone|somebody|someone)?\b.{{0,24}}\b(?:call(?:ed)?|phone[d]?|calls) (?:to |with )?{_OF_PAYER}\b|\bcall log\b", r"\bwho should\b|\bcan\b|\bshould\b"),
    ("due", r"\b(?:is|are|was|were)? ?(?:there )?(?:anything|something|nothing|what(?:'s| is| else is| do we have)?|stuff)\b.{0,24}\b(?:over ?due|coming due|due|coming up|past due|running out)\b|\b(?:any|which|what|our|the|all|her|his) (?:\w+ )?deadlines?\b.{0,30}\b(?:coming up|come up|approach\w*|upcoming|miss(?:ed)?|overdue|passed|this (?:week|month)|next (?:week|month)|today|tomorrow)\b|\b(?:miss(?:ed)?|late (?:with|on|for)|behind on|overlook(?:ed)?) (?:any|a|an|some|the|our|her|his) (?:\w+ )?(?:deadlines?|due dates?|clocks?)\b", r"\b(?:vaccin\w*|colonoscopy|screening|refill|labs?|TEST|CONCEPT|exam|visit|appointment|payment|copay|due to)\b"),
    ("due", r"\b(?:anything|something|what)\b.{0,20}\b(?:we|i|you|that) (?:have|need|must|ha[sd])(?: to)?\b.{0,24}\b(?:do|done|act|finish|take care of|get done|send|file)\b.{0,24}\b(?:by|before|this|until|in the next|today|tomorrow)\b(?: (?:\w+ )?(?:mon|tues|wednes|thurs|fri|satur|sun)day| week| month| \d+ (?:days|weeks)|\W*$| today| tomorrow)", r"\b(?:TEST|CONCEPT|DRUG approved|eligib\w+|qualif\w+|criteria)\b"),
    ("filing", rf"\b(?:by when|when|until when|till when|how long|how many days|what(?:'s| is) the (?:last|latest|final) (?:day|date)|by what (?:day|date)|what (?:day|date))\b.{{0,30}}\b(?:must|have to|need to|do|can|should|are left|left|have) ?(?:we|i)?\b.{{0,20}}\b(?:to )?(?:respond|answer|reply|get back)\b.{{0,12}}\b(?:to )?{_OF_PAYER}\b", r""),
    ("filing", r"^\W*(?:(?:and|so|but|ok|then) )*(?:by when|until when|till when|by what (?:day|date)|how long|when) (?:must|do|can|should|have|are) (?:we|i) (?:(?:still|have|to|need|must|supposed|at the latest) )*(?:to )?file(?: (?:it|this|that|something|anything|by))*\W*$|\b(?:days?|time|weeks?)\b.{0,14}\b(?:left|remain\w*)\b.{0,10}\bto file\b|\bwhen (?:must|does|is|should) (?:our|the) (?:answer|response|reply)(?: to \w+(?: \w+)?)? (?:(?:have|has|to|need|needs|be) )*(?:in|due|filed|sent|received)\b", r"\b(?:polic\w+|usually|generally)\b"),
    ("sent", rf"\b(?:did|have|has|was|were|is|had)\b.{{0,12}}(?:\b(?:we|i|you|anybody|anyone|somebody|someone)\b.{{0,14}})?(?:{_APPEAL}|{_REQUEST})?\W*(?:(?:been|ever|already|actually|yet) )*\b{_SENT}\b.{{0,10}}(?:{_APPEAL})\b|\b(?:was|were|has|have|is|did) {_APPEAL} (?:(?:been|ever|already|actually|yet) )*{_SENT}\b|\b(?:when|what day|what date|on what (?:day|date)|who|how) (?:was|were|did|has|have|\w+ed)\b.{{0,14}}(?:{_APPEAL}|\bthe request|\bthe pa|\bthe submission)\b.{{0,16}}(?:\b{_SENT}\b)?", r"\b(?:note|labs?|records?|should|can|could|would|number|to appeal|approv\w+|denied)\b"),
    ("sent", rf"\bwho {_SENT}\b.{{0,16}}\b(?:request|pa|appeal|case|prior auth\w*|it)\b|\b(?:has|was|have|did)\b (?:(?:it|this|that|the request|the pa|the prior auth\w*|her \w+|his \w+|we|i|anybody|anyone) )?(?:(?:been|ever|already|actually|yet) )*(?:submitted|filed|submit|file)\b(?: (?:it|this|that|the (?:request|pa|prior auth\w*)|DRUG))?(?: (?:yet|already|to {_OF_PAYER}))*\W*$|\bwhen (?:was|did) (?:it|this|we|i) (?:submit|submitted|file|filed)\b", r"\b(?:labs?|note|chart|to be)\b"),
    ("answer", rf"\b(?:did|have|has|hasn't|haven't|didn't) {_PAYER}\b(?: (?:ever|already|finally|yet|even|not|all|actually))*.{{0,4}}\b{_ANSWERED}\b", r"\b(?:about|on) (?:the )?(?:TEST|CONCEPT|MED|metformin)\b|\bto (?:MED|DRUG|treatment|therapy)\b"),
    ("answer", rf"\b(?:any|no|an?|some|the) (?:response|answer|decision|reply|ruling|word|outcome|result|verdict)s? (?:yet )?(?:on|to|about|for|from|in|of) {_APPEAL}\b", r"\b(?:polic\w+|usually|if|when|how long)\b"),
    ("sent", rf"\b(?:did|has|have) {_PAYER} (?:ever |already |actually )?(?:get|gotten|got|receive[d]?|confirm(?:ed)?)\b.{{0,14}}\b(?:our|the|her|his) (?:appeal|request|fax|submission|letter|answer|pa)\b", r"\b(?:if|should)\b"),
    ("due", r"\b(?:past|over|beyond|behind) (?:the |any |a |our )?(?:deadlines?|due dates?)\b", r"\b(?:if|polic\w+)\b"),
    ("standing", r"\bball in (?:our|their|whose|the (?:payer|plan)'s) court\b|\b(?:who(?:'s|se| is)|our|their) (?:turn|move) (?:is it|now)\b|\bis it (?:our|their|the (?:payer|plan)'s) (?:turn|move)\b", r"\bif\b"),
    ("answer", rf"\b(?:have|has|did) (?:we|you|i|anybody|anyone|the office|the clinic)\b.{{0,14}}\b(?:hear|heard|gotten?|get|got|receive[d]?)\b.{{0,24}}\b(?:back|answer|decision|response|reply|anything|word|letter)\b|\b(?:any|no|some) (?:word|answer|decision|response|reply|reaction|news|letter)\b.{{0,14}}\b(?:from|by) {_OF_PAYER}\b|\b(?:still )?(?:nothing|anything|something|crickets|silence) (?:yet |back |new )*from {_OF_PAYER}\b|\b(?:are )?(?:we|you) (?:are )?still waiting (?:on|for) (?:{_OF_PAYER}|an answer|a decision|the decision)\b|\bwaiting (?:on|for) {_OF_PAYER}\W*$", r"\b(?:how long|when (?:will|can|do|should))\b"),
    ("said", rf"\b(?:what|which reasons?|what reasons?|why|how|anything)\b.{{0,10}}\b(?:did|has|have) {_PAYER}\b(?: (?:ever|already|finally|actually|exactly))?.{{0,4}}\b(?:say|said|writ(?:e|ten)|tell|told|answer(?:ed)?|decided?|respond(?:ed)?|reply|replied|ask(?:ed)? (?:for|us)|want(?:ed)?|come back with|give|given|gave|rule[d]?|state[d]?)\b", r"\b(?:polic\w+|criteria|formulary|tier|copay)\b|\babout (?!it\b|this\b|that\b|the (?:appeal|request|pa)\b)"),
    ("said", rf"\bwhat(?:'s| is| was| does| did| do)?\b.{{0,10}}\b(?:in|on|of)? ?{_LETTER}\b|\bwhat {_PAYER} (?:said|wrote|decided|answered|replied|told us|asked (?:for|us))\b|\b(?:reasons?|grounds?)\b.{{0,24}}\b(?:in|of|on) {_LETTER}\b|\b(?:read|quote|show|summari[sz]e)(?: me)? {_LETTER}\b", r"\b(?:should|draft|write|need|usually|would)\b"),
    ("standing", rf"\b(?:where|how|what)(?:'s|s| is| are| does| do| has| did)?\b.{{0,20}}{_APPEAL}\b.{{0,10}}\b(?:stand|standing|at|now|going|doing|coming(?: along)?|progress\w*|status|look\w*|up to)\b|\b(?:where|how) (?:are|do|is|does) (?:we|things|it|that|everything)\b(?: (?:stand|at|now|going|coming along|stands))*.{{0,6}}\b(?:with|on|in|about|regarding) {_APPEAL}\b|\bhow far\b.{{0,16}}{_APPEAL}\b", r"\b(?:cases? (?:of|with)|in any case|in that case)\b"),
    ("standing", rf"\b{_NEWS}\b.{{0,12}}\b(?:of|on|about|with|for|from|in|re)\b {_APPEAL}\b|\bappeal (?:status|update|progress)\b|\b(?:what(?:'s|s| is| has)|anything|something|nothing) (?:\w+ )?(?:happen\w*|come|came|going on|new|up|become|moving)\b.{{0,10}}\b(?:with|of|on|about|from|to) {_APPEAL}\b|\bwhat (?:happened|became|has become) (?:with|to|of) {_APPEAL}\b|\b(?:up to (?:speed|date)|fill me in|catch me up|update me|brief me)\b.{{0,10}}\b(?:on|about|with) {_APPEAL}\b", r"\bin (?:any|that|this) case\b"),
    ("standing", rf"\b(?:is|are) (?:there )?(?:still )?{_APPEAL} (?:(?:still|already|currently|really|even) )*(?:pending|open|running|going on|in process|in progress|under review|active|closed|over|underway|under way|decided|done)\b|\b(?:is|are) there (?:still )?(?:an? |any |some )?{_USE}(?:appeals?|authori[sz]ation cases?|cases?)\b(?: (?:open|running|pending|for|going|in progress|on file|with us|recorded)\b)|\b(?:does|do|has|have) (?:she|he|they|WHO|we|the patient|pt)(?: got)?(?: have)? (?:an? |any |some )?{_USE}(?:open |pending |running )(?:authori[sz]ation )?(?:appeals?|cases?|pas?|prior auth\w*|requests?)\b|\b(?:list|show)(?: me)? (?:all )?(?:her|his|the patient's|their) (?:open )?(?:authori[sz]ation )?(?:cases|appeals)\b", r"\bother patients?\b"),
)  # fmt: skip
_MIGHT: tuple[tuple[Side, str, str], ...] = (
    ("standing", r"\b(?:appeal|redetermination|reconsideration|denial)\b.{0,8}\b(?:status|updates?|progress)\b|\bhow long (?:has|have)\b.{0,30}\b(?:appeal|request|pa|prior auth\w*|case)\b", r"\b(?:polic\w+|usually|if)\b"),
    ("due", r"\b(?:next|nearest|closest|upcoming) (?:deadline|due date|clock)\b", r"\b(?:TEST|labs?|polic\w+)\b"),
    ("filing", r"\b(?:can|could|may) (?:we|i|she|he|they) (?:still )?(?:fight|appeal|challenge|contest|dispute|overturn)\b", r"\b(?:what if|if (?:they|it)|polic\w+|help|draft)\b"),
    ("answer", r"\b(?:was|were|(?:has|have)(?: \w+){1,4}? been|did (?:it|the \w+|DRUG) get)\b.{0,24}\b(?:denied|turned down|rejected|refused|approved)\b", r"\b(?:why|reasons?|would|could|should|if|likely|polic\w+|usually|fda|ever|before|CONCEPT|TEST|MED)\b"),
    ("said", r"\breference (?:number|no|#|id)?\b.{0,12}\b(?:of|on|for|in) (?:the |her |his |their )?(?:denial|letter|decision|notice|rejection)\b", r"\bcalls?\b"),
    ("approval", r"\b(?:how much longer|how long|until when|till when|(?:until|till|through) what (?:day|date))\b.{0,16}\b(?:is|are)\b.{0,14}\b(?:she|he|they|DRUG|it|WHO|the patient)\b.{0,12}\b(?:approved|authori[sz]ed|covered for|good)\b|\bwhen(?:'s| is) (?:the|her|his|our|a) (?:DRUG )?renewal due\b|\brenewal (?:due|deadline)\b", r"\b(?:polic\w+|usually|if|would|an approval)\b"),
    ("filing", r"\b(?:deadlines?|by when|until when|till when|how (?:much time|long|many (?:days|weeks))|last day|latest (?:day|date)|too late|in time|time left|still|what (?:day|date)|clock|due)\b.{0,50}\b(?:appeal\w*|file|filing|respond|answer them|peer.to.peer|external review|resubmit)\b|\b(?:appeal\w*|filing|peer.to.peer|external review)\b.{0,30}\b(?:deadline|by when|until|due|window|time ?frame|clock|days|too late|time left)\b|^\W*(?:(?:and|so|but|ok|then) )*(?:what(?:'s| is)|when(?:'s| is))? ?(?:the|our|her|his) (?:\w+ )?(?:deadline|due date)\W*$|\bhow (?:much time|long|many days) (?:do|have) (?:we|i) (?:have|got|still have)?(?: left)?\W*$", r"\b(?:TEST|labs?|polic(?:y|ies)|usually|generally|in general|typically|if (?:they|it))\b"),
    ("answer", r"\b(?:when|how (?:long|soon|fast))\b.{0,20}\b(?:will|do|does|should|must|can|is|are|would|have)\b.{0,20}\b(?:they|we|it|PLAN|payer|plan|insur\w+)\b.{0,24}\b(?:decid\w*|decision|hear|answer\w*|respond\w*|reply|know|get back|determin\w+)\b|\b(?:did|have|has) (?:they|PLAN|(?:the |her |his )(?:plan|payer|insur\w+)) (?:already |ever |finally )?(?:approved?|den(?:y|ied)|reject(?:ed)?|turn(?:ed)? (?:it|us|her|him) down|accept(?:ed)?)\b|\b(?:has|was|is) (?:it|DRUG|this|the (?:pa|request|prior auth\w*)) (?:been )?(?:already )?(?:approved|denied|decided|rejected)(?: yet| already| by now)\b", r"\b(?:urgent|expedited|standard|polic\w+|usually|if|typically)\b"),
    ("said", r"\bwhy (?:did|have|has) (?:they|PLAN|(?:the |her |his )(?:plan|payer|insur\w+)) (?:den|reject|turn|refus|pend|say no|said no)\w*|\bwhy (?:was|were|is) (?:it|this|DRUG|she|he|the (?:pa|request)|her \w+|his \w+) (?:denied|rejected|turned down|refused|pended)\b|\b(?:denial|pend) reasons?\b|\breasons? (?:for|of) the (?:denial|rejection)\b|\b(?:denial|decision) (?:letter|notice)\b.{0,12}\b(?:say|dated|date|reference)\b", r"\b(?:if|would|draft|write|usually)\b"),
    ("standing", r"\b(?:status|update|news|progress|latest)\b.{0,24}\b(?:request|pa|prior auth\w*|authori[sz]ation|submission|application|case|renewal|DRUG)\b|\b(?:request|pa|prior auth\w*|authori[sz]ation|submission|application|renewal) (?:status|update)\b|\bwhere (?:are|do) (?:we|things)(?: stand)?\b(?! on the list)|\b(?:where|how) (?:does|is|are|do) (?:her|his|the|this|our) (?:DRUG )?(?:request|pa|prior auth\w*|authori[sz]ation|submission|application|case|renewal)s?\b|\b(?:is|are) (?:her|his|the|this) (?:DRUG )?(?:request|pa|prior auth\w*|authori[sz]ation|submission|application) (?:still )?(?:pending|open|pended|in process|under review)\b|\bwhat(?:'s| is)? (?:the )?next (?:step|move|thing)?\b.{0,24}\b(?:case|appeal|denial)\b|^\W*(?:any )?(?:status|updates?|news)\W*$", r"\b(?:criteria|criterion|polic\w+|if|tier|copay)\b"),
    ("approval", r"\b(?:when|until when|till when|how long|what (?:day|date))\b.{0,24}\b(?:her|his|the|our|their|this|current|that)\b.{0,16}\b(?:approval|authori[sz]ation|auth|pa)\b.{0,24}\b(?:end|ends|expire|expires|run out|runs out|last|lasts|valid|good|over|up|lapse|lapses|through)\b|\bwhen (?:do|must|should|does|is|have) (?:we|i|it|DRUG|she|he)\b.{0,14}\brenew\w*|\b(?:approval|authori[sz]ation) (?:number|no|#|end date|expir\w+)\b|\bis (?:her|his|the) (?:DRUG )?(?:approval|authori[sz]ation) still (?:good|valid|running|active|in force)\b", r"\b(?:polic(?:y|ies)|usually|generally|would|if|coverage|typically)\b"),
)  # fmt: skip

_CASE = [(side, re.compile(pattern), re.compile(unless or r"^$")) for side, pattern, unless in _ASKED]
_OPEN = [(side, re.compile(pattern), re.compile(unless or r"^$")) for side, pattern, unless in _MIGHT]
# An order to do it, an offer, or what is only supposed is no question of what was done.
_NO_QUESTION = re.compile(
    rf"{_LED}(?:draft|write|submit|send|file|appeal(?! (?:status|updates?|progress|news|deadline|filed|sent))|fax|prepare|call)\b|\bwhat if\b|\bsuppos\w+\b|\bhow (?:do|can|should|would) (?:i|we|you)\b|\b(?:can|could|will|would) you (?:draft|write|submit|send|file|fax|call|prepare)\b"
)


def asked(text: str) -> Side | None:
    """The side of a case that a piece asks for, where nothing else can be meant."""
    return _first(text, _CASE)


def might(text: str) -> Side | None:
    """The side that is asked for, if there is a case that the question can be about."""
    return _first(text, _OPEN) or _first(text, _CASE)


def _first(text: str, patterns: list[tuple[Side, re.Pattern[str], re.Pattern[str]]]) -> Side | None:
    if _NO_QUESTION.search(text):
        return None
    return next(
        (side for side, pattern, unless in patterns if pattern.search(text) and not unless.search(text)), None
    )
