"""What a scanner read wrong: words with a nought or a one in them that are words with a letter there."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from tools.terminology.matcher import medicines_in

_MIXED = re.compile(r"(?<!\w)(?=\d*[a-z])(?=[a-z]*\d)[a-z01]{3,20}(?!\w)", re.IGNORECASE | re.ASCII)
_READ = {"0": "o", "1": "li"}  # the letters for which each is read


def legible(text: str) -> str:
    """The text in as many characters, its slipped words as they were."""
    return _MIXED.sub(lambda match: _word(match[0]), text)


@lru_cache(maxsize=4096)
def _word(written: str) -> str:
    """The first known word that this may have been; itself, if it is known as it stands, none is, or most of it are
    digits."""
    low = written.lower()
    slips = sum(map(low.count, _READ))
    if _is_known(low) or 2 * slips > len(low) or (len(low) < 4 and "1" in low):  # 1mg is no img
        return written
    readings = map("".join, product(*(_READ.get(sign, sign) for sign in low)))
    meant = next((one for one in readings if _is_known(one)), low)
    if written.isupper():
        return meant.upper()
    return "".join(sign if sign.isalpha() else new for sign, new in zip(written, meant, strict=True))


def _is_known(word: str) -> bool:
    from tools.language.encoder import tokenizer  # which a letter is read with, and no draft

    return tokenizer().token_to_id(word) is not None or bool(medicines_in(word))
