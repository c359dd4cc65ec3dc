"""Whether a clause states something of its own: only such a clause is asked for its meaning."""

from __future__ import annotations

import re

from tools.terminology.matcher import medicines_in

_IDENTITY = re.compile(
    r"^\W*(?:date|members?|patient|pt|drugs?|id|case|request|name|re|from|to|claim|enrollee|prescri\w+"
    r"|subject|ref\w*|med\w*|plan|group|dob|born|"
    r"sent|posted|dear|benefit claimed|granted|approved|item|filing|letter|hello|hi|decision|status"
    r"|outcome|determination|page|address|phone|fax|product|insured|participant|qty|"
    r"quantity)\b[^.]{0,30}(?::|#|$|\s{2})",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\W*(?:[\w '/.-]{2,40}):\s+")
_ASKS = re.compile(
    r"\b(?:polic(?:y|ies)|plans?|guidelines?|rules?|criteri(?:on|a)|standards?|we|label"
    r"|law)\b[^.;]{0,30}?\b(?:asks?|requires?|calls? for|needs?|looks? for|covers?|says?|wants?"
    r"|expects?)\b|\b(?:is|are) (?:covered|indicated|approved|meant) (?:for|to treat)\b",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:not (?:be )?(?:approved?|authorized?|covered|granted|paid)|denied|declined?|refused?|rejected"
    r"|turn(?:ed)? down|approve (?:it|this)|say yes|denial of|denying|denied (?:coverage|payment"
    r"|benefits))\b[^,;]{0,20}$|(?:\bnot|n't|cannot|unable to|not able to) (?:\w+ )?(?:be )?(?:approved?"
    r"|authorized?)\b[^,;]{0,50}$|\bre denial$|^\W*(?:denied|denial|declined|refused)\b|(?<!not"
    r" )(?<!un)\bapproved (?:for|from|through|as)\b|\bnot cover\b[^.]{0,40}\b(?:mg|requested)\b",
    re.IGNORECASE,
)
_FALLS = re.compile(
    r"\b(?:not|no|never|only|less|below|under|more than|exceeds?|too|but|yours)\b|n't\b", re.IGNORECASE
)


_PLAIN_WORDS = re.compile(
    r"a|ca|wo|about|above|alone|and?|any|applied|are|as|ask(?:ed)?|at|be|been|being|below|benefits?|by|can|cannot"
    r"|claim|confirms|continue|cost|coverage|covere?[ds]?|days?|decided|decision|did|do|does|drug|each|enrollee"
    r"|following|for|found|from|go|going|had|has|have|he|her|his|i|if|in|is|it|its|letter|listed|member"
    r"|medication|medicine|month|mg|ml|more|must|no|not|notice|of|office|on|once|one|our|patient|per|plan"
    r"|prescription|prescribed|prescriber|product|reasons?|regrets?|requested|request|review(?:ed)?|said"
    r"|say|she"
    r"|sorry|tell|that|the|their|them|therefore|these|they|this|time|to|told|under|unable|able|was|we|weekly"
    r"|were|what|which|will|with|would|you|your|unfortunately|telephone|date"
)
_DECISION = re.compile(
    r"\b(?:den(?:y|ied|ies|ial|ying)|declin\w+|refus\w+|reject\w+|(?:dis)?approv\w+|authori[sz]\w+|cover\w*"
    r"|pays?|paid|payment"
    r"|grant\w*|renew\w*|certif\w+)\b",
    re.IGNORECASE,
)


def only_decides(text: str) -> bool:
    """Nothing is left when the decision, the drug and whose it is are taken out: names are, by their
    capitals."""
    if not _DECISION.search(text):
        return False
    rest = _DECISION.sub(" ", text.replace("n't", " not").replace("'s", ""))
    for span in reversed(medicines_in(rest)):
        rest = f"{rest[: span.start]} {rest[span.end :]}"
    words = re.findall(r"[A-Za-z]{2,}", rest)
    return not [word for word in words if word.islower() and not _PLAIN_WORDS.fullmatch(word)]


def is_prose(text: str) -> bool:
    """Words that state something of this case: no heading, no label, and not only what a policy asks for."""
    if _IDENTITY.search(text):
        return False
    said = prose_of(text)
    words = re.findall(r"[A-Za-z']{2,}", said)
    if only_decides(said) or (len(words) < 18 and _DECIDES.search(said)):
        return False
    if len(words) < 4 or not re.search(r"[a-z]{3}", said):
        return False
    if sum(word[0].isupper() for word in words) >= (0.5 if len(words) < 6 else 0.6) * len(words):
        return False
    return not (_ASKS.search(said) and not _FALLS.search(said))


def prose_of(text: str) -> str:
    """Without a label, a bullet or a number before it."""
    return re.sub(r"^\W*(?:\d{1,2}[.)])?\s*", "", _LABEL.sub("", text)).strip()
