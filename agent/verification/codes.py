"""Codes: ICD-10-CM, NDC, clause numbers, member, policy and record ids, NPI, telephone numbers, procedure codes."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from agent.verification.dates import compact_day

System = Literal["icd10", "ndc", "phone", "clause", "id", "number", "procedure"]


class Code(NamedTuple):
    """`value` as it is compared: upper case, without blanks; phones and numbers in digits alone."""

    start: int
    end: int
    value: str
    system: System


PATTERNS: tuple[tuple[System, re.Pattern[str]], ...] = (
    ("ndc", re.compile(r"(?<![\w-])\d{4,5}-\d{3,4}-\d{1,2}(?![\w-])")),
    ("phone", re.compile(r"(?<![\w-])(?:\+?1[-. ])?\(?\d{3}\)?[-. ]\s?\d{3}[-. ]\d{4}(?![\w-])")),
    ("clause", re.compile(r"(?<![\w.-])[A-Z]-\d+(?:\.\d+)*(?:\([a-z0-9]+\))*(?![\w]|\.\d)")),
    ("id", re.compile(
        r"(?<![\w-])(?!(?:ICD|GLP|DPP|SGLT|MEN|COVID|HMO|PPO|FIB|COX)-)"
        r"[A-Z]{2,}(?:-[A-Z0-9]+)*-[A-Z0-9]*[A-Z0-9](?:-[A-Z0-9]+)*(?![\w-])")),
    ("id", re.compile(r"(?<![\w-])[A-Z]{1,4}\d{3,}(?:-[A-Za-z]+)?(?![\w-])(?!\.\d)")),
    ("icd10", re.compile(r"(?<![\w.-])(?!A1C)[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?(?![\w]|\.\w)")),
    ("clause", re.compile(r"§\s?\d+(?:\.\d+)*(?:\([a-zA-Z0-9]+\))*(?:\.[a-z0-9]+)*")),
    ("clause", re.compile(r"(?<![\w.])(?:\(\w{1,4}\)){2,}")),
    ("clause", re.compile(r"(?<![\w.-])(?:\d+|[IVX]{1,5}|[A-Z])(?:\.[A-Za-z0-9]{1,4}){2,}(?![\w]|\.\w)")),
    ("clause", re.compile(r"(?<![\w.-])(?:[IVX]{1,5}|[A-Z])\.\d{1,2}(?:\.[A-Za-z0-9]{1,4})*(?![\w]|\.\w)")),
    ("clause", re.compile(r"(?<![\w.-])(?!A1c)[A-Z]-?\d{1,2}[a-z](?:[ivx]+)?(?![\w.]\w)(?!\w)")),
    ("number", re.compile(r"(?<![\w.-])\d{7,11}(?![\w-]|\.\d)")),
    ("procedure", re.compile(r"\b(?<=CPT )\d{5}\b|\b(?<=HCPCS )[A-Z]\d{4}\b|(?<![\w-])[JGSQ]\d{4}(?![\w-])")),
)  # fmt: skip
NAMED = re.compile(
    r"\b(?:clauses?|criterion|criteria|section|paragraph|item|sec\.)\s+(?P<code>[A-Z]{0,4}[-.]?\(?\d[\w.()]*\w"
    r"|[A-Z][-.]?\d\w*|(?-i:[IVX]+(?:\.\w+)+)|\(\w+\)(?:\(\w+\))*)",
    re.IGNORECASE,
)
LABELLED = re.compile(
    r"\b(?:rxnorm|rxcui|npi|group|bin|pcn|member(?:\s+(?:id|number|no\.?))?|ndc|policy(?:\s+(?:id"
    r"|number|no\.?))?|reference)"
    r"\s*[:#]?\s*(?P<code>(?=[\w-]*\d)[A-Za-z0-9][\w-]{2,})",
    re.IGNORECASE,
)


def codes(text: str) -> list[Code]:
    """Every code of a text, in order."""
    found: list[Code] = []

    def keep(start: int, end: int, system: System) -> None:
        if not any(c.start < end and start < c.end for c in found):
            found.append(Code(start, end, normal(text[start:end], system), system))

    for match in NAMED.finditer(text):
        keep(match.start("code"), match.end("code"), "clause")
    for system, pattern in PATTERNS[:4]:
        for match in pattern.finditer(text):
            keep(match.start(), match.end(), system)
    for match in LABELLED.finditer(text):
        keep(match.start("code"), match.end("code"), "id")
    for system, pattern in PATTERNS[4:]:
        for match in pattern.finditer(text):
            if system != "number" or compact_day(match[0]) is None:
                keep(match.start(), match.end(), system)
    return sorted(found)


def normal(text: str, system: str = "") -> str:
    """As codes are compared."""
    if system in ("phone", "number"):
        digits = "".join(filter(str.isdecimal, text))
        return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    bare = "".join(text.split()).strip(".,;:")
    return bare.upper() if system != "clause" else bare.replace("§", "").casefold()
