"""Names of people, practices, payers and societies, and what is cited: trials, journals, guidelines."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tools.terminology.dates import calendar_words
from tools.terminology.medicines import ingredients_of
from tools.terminology.observations import TESTS

Role = Literal["person", "organisation", "name"]


class Name(NamedTuple):
    """Words that stand where a name would. `sure` where a title, a degree or the kind of house says so."""

    start: int
    end: int
    words: tuple[str, ...]
    role: Role
    sure: bool


class Citation(NamedTuple):
    """A trial by its name, a journal with year, volume and page, or a society with the year or section cited."""

    start: int
    end: int
    kind: Literal["trial", "journal", "society"]
    value: str
    year: str = ""
    section: str = ""


TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|dr|doctor|prof|professor|nurse)\.?\s+$", re.IGNORECASE)
DEGREE = re.compile(r"\s*,?\s*(?:MD|DO|NP|PA-C|PharmD|RN|FNP|APRN|M\.D\.|D\.O\.|DNP)(?![\w])")
CAPITAL = re.compile(r"[A-Z][a-zà-öø-ÿ]*(?:['-]?[A-Z][a-zà-öø-ÿ]+)*|[A-Z][a-z]+(?:'[a-z]+)?")
ORGANISED = frozenset(
    [
        "health",
        "healthcare",
        "care",
        "clinic",
        "practice",
        "associates",
        "hospital",
        "insurance",
        "mutual",
        "plan",
        "plans",
        "ppo",
        "hmo",
        "epo",
        "pos",
        "pdp",
        "medicare",
        "medicaid",
        "trust",
        "benefits",
        "benefit",
        "payer",
        "center",
        "centre",
        "group",
        "university",
        "college",
        "medicine",
        "pharmacy",
        "endocrinology",
        "family",
        "internal",
        "exchange",
        "advantage",
        "choice",
        "select",
        "rx",
        "partners",
        "network",
        "foundation",
        "institute",
    ]
)
INSURERS = re.compile(
    r"\b(?:aetna|cigna|humana|anthem|unitedhealthcare|united\s+healthcare|kaiser(?:\s+permanente)?"
    r"|blue\s+(?:cross|shield)"
    r"|bcbs|express\s+scripts|caremark|cvs\s+health|optum(?:rx)?|centene|molina|wellcare|tricare"
    r"|health\s?net|oscar\s+health"
    r"|elevance|highmark|prime\s+therapeutics)\b",
    re.IGNORECASE,
)
# Words that letters write with a capital and that are nobody's name.
COMMON = frozenset(
    re.findall(r"\S+", """
            a i the this that these those there he she it they we you his her their our my your its an and
            or but for nor so yet as at by from in into of off on onto out over to up with without under
            within after before since until while when where who whom whose which what why how if then than
            because although though however therefore also still now today yesterday yes no not none nothing
            never every each all any some both either neither one two three four five six seven eight nine
            ten mr mrs ms miss dr prof md do np rn please thank thanks dear sincerely regards respectfully
            signed signature date dated re cc attn subject member patient patients policy plan plans payer
            drug drugs medicine medicines medication medications prior authorization authorisation letter
            medical necessity request requests requested review reviewer reviewers director pharmacy
            pharmacist department appeal appeals denial determination coverage clinical clinically summary
            history treatment treatments current past present illness problem list diagnosis diagnoses
            allergies allergy labs lab laboratory values value results result tests test criteria criterion
            clause clauses section sections exclusions exclusion evidence published standards care
            enclosures enclosure attachments documentation documents chart charts record records note notes
            form forms fax telephone phone tel address number id group name birth born dob age male female
            man woman sex gender male's type obesity overweight diabetes mellitus hypertension
            hyperlipidemia prediabetes chronic kidney disease stage class essential mixed body mass index
            weight height blood pressure systolic diastolic old myocardial infarction atherosclerotic heart
            failure obstructive sleep apnea depression unspecified asthma hypothyroidism osteoarthritis end
            renal dependence dialysis long term pure atrial fibrillation gout anemia neuropathy retinopathy
            nephropathy inadequate partial intolerance effective
            response rationale statement assessment impression recommendation recommendations background
            introduction conclusion objective subjective follow followup goals goal dose dosage dosing
            strength quantity supply days refills refill directions sig generic brand formulary tier copay
            step therapy limit limits hba1c a1c bmi egfr ldl hdl alt ast uacr lvef ahi pa er ir xr bid tid
            qd icd cm rxnorm ndc npi cpt hcpcs loinc fda standard reduced regular initial renewal
            continuation new approved denied ready eligible likely met unmet unknown open missing next steps
            alternatives draft notice requires required needs need based according per see here latest most
            recent last first second third finally additionally moreover further furthermore given despite
            unfortunately internal external peer diet exercise lifestyle program programme structured
            completed diabetic cardiovascular american association journal endocrine society adult adults
            people persons individual individuals subscriber metformin glipizide insulin statin injection
            injectable oral tablet tablets pen weekly daily once twice office practice prescriber
            prescribing provider physician doctor nurse contact information insurance insured primary
            secondary hematology cardiology endocrinology nephrology family general vitals exam
            """)
) | calendar_words()  # fmt: skip
MEDICAL = frozenset(
    word.lower() for test in TESTS.values() for name in (test.name, *test.names) for word in name.split()
)

TRIALS = (
    r"SUSTAIN(?:[- ](?:\d+|FORTE|CHINA))?|PIONEER(?:[- ]\d+)?|STEP[- ]\d+|STEP[- ](?:UP|HFpEF"
    r"|TEENS)|SURPASS(?:-[A-Z0-9]+)?"
    r"|SURMOUNT(?:-[A-Z0-9]+)?|AWARD-\d+|SCALE|REWIND|LEADER|SELECT|FLOW|SOUL|ESSENCE|EMPA-REG(?:\s+OUTCOME)?"
    r"|EMPEROR-\w+"
    r"|EMPA-KIDNEY|DAPA-\w+|DECLARE(?:-TIMI(?:\s?58)?)?|DELIVER|TECOS|CANVAS|CREDENCE|ELIXA"
    r"|EXSCEL|HARMONY|GRADE|VERTIS(?:\s?CV)?"
    r"|CAROLINA|CARMELINA|SAVOR(?:-TIMI(?:\s?53)?)?|EXAMINE|ACCORD|UKPDS|ADVANCE|VADT|DIRECT"
    r"|COMBINE|SYNERGY-\w+"
)
TRIAL = re.compile(
    rf"(?<![\w-])(?:{TRIALS})(?![\w-])|(?<![\w-])[A-Z][A-Z-]{{3,}}(?:[- ]\d{{1,2}})?(?=\s+(?:trial"
    rf"|study|program)\b)"
)
AMBIGUOUS = frozenset(
    ("SELECT", "FLOW", "SOUL", "SCALE", "GRADE", "LEADER", "ADVANCE", "DIRECT", "COMBINE", "DELIVER")
)
JOURNAL = re.compile(
    r"(?P<name>N(?:ew)?\s+Engl(?:and)?\s+J(?:ournal)?(?:\s+of)?\s+Med(?:icine)?|NEJM|(?:The\s+)?Lancet(?:\s+[A-Z]\w+){0,3}"
    r"|JAMA"
    r"(?:\s+[A-Z]\w+){0,3}|Diabetes\s+Care|Diabetologia|Circulation|Kidney\s+Int|Gastroenterology"
    r"|Hepatology|BMJ"
    r"|Ann\s+Intern\s+Med|Endocr\s+Pract|Obesity(?=\s+(?:19|20)\d\d)|J\s+Am\s+Coll\s+Cardiol)"
    r"[.,]?\s*\(?(?P<year>(?:19|20)\d\d)\)?(?:\s*;\s*(?P<place>\d+\s?(?:\([^)]*\))?(?::\s?[A-Za-z]?\d+(?:-\d+)?)?))?"
)
SOCIETIES: dict[str, str] = {
    "ada": r"ADA|American\s+Diabetes\s+Association",
    "aace": r"AACE|American\s+Association\s+of\s+Clinical\s+Endocrinolog\w+",
    "aga": r"AGA|American\s+Gastroenterolog\w+\s+Association",
    "kdigo": r"KDIGO",
    "aha": r"AHA|American\s+Heart\s+Association",
    "acc": r"ACC|American\s+College\s+of\s+Cardiology",
    "hfsa": r"HFSA",
    "acp": r"ACP|American\s+College\s+of\s+Physicians",
    "aasld": r"AASLD",
    "easd": r"EASD",
    "esc": r"ESC|European\s+Society\s+of\s+Cardiology",
    "nice": r"NICE",
    "uspstf": r"USPSTF",
    "endocrine society": r"Endocrine\s+Society",
    "obesity society": r"(?:The\s+)?Obesity\s+Society|TOS",
    "oma": r"OMA|Obesity\s+Medicine\s+Association",
    "asmbs": r"ASMBS",
    "aasm": r"AASM|American\s+Academy\s+of\s+Sleep\s+Medicine",
    "who": r"World\s+Health\s+Organization",
}
SOCIETY = re.compile(
    "|".join(rf"(?<![\w-])(?P<s{i}>{pattern})(?![\w-])" for i, pattern in enumerate(SOCIETIES.values()))
)
CITED_YEAR = re.compile(r"(?<![\d;:/-])((?:19|20)\d\d)(?![\d/-])")
CITED_SECTION = re.compile(r"\b(?:section|chapter)\s+(\d+)", re.IGNORECASE)


def names(text: str) -> list[Name]:
    """Sequences of capitalised words that may name somebody or a house, in order."""
    found: list[Name] = []
    tokens = [match for match in CAPITAL.finditer(text) if _starts_word(text, match)]
    at = 0
    while at < len(tokens):
        run = [tokens[at]]
        while at + 1 < len(tokens) and _joined(text, run[-1], tokens[at + 1]):
            at += 1
            run.append(tokens[at])
        at += 1
        found += _named(text, run)
    found += [
        Name(m.start(), m.end(), tuple(m[0].split()), "organisation", True) for m in INSURERS.finditer(text)
    ]
    return sorted(found)


def _starts_word(text: str, match: re.Match[str]) -> bool:
    before = text[match.start() - 1 : match.start()]
    after = text[match.end() : match.end() + 1]
    return not (before.isalnum() or before in ("-", "_", "/") or after.isalnum() or after in ("_", "/"))


def _joined(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    between = text[one.end() : other.start()]
    return between in (" ", ". ", "  ") and not (between == ". " and len(one[0]) > 1)


def _named(text: str, run: list[re.Match[str]]) -> list[Name]:
    while run and _plain(run[0][0]) and len(run) > 1 and run[0][0].lower() not in ORGANISED:
        run = run[1:]
    if not run:
        return []
    start, end = run[0].start(), run[-1].end()
    words = tuple(re.sub(r"'s$", "", match[0]) for match in run)
    titled = bool(TITLE.search(text[max(0, start - 12) : start]))
    degree = bool(DEGREE.match(text, end))
    while len(words) > 1 and words[-1] in ("MD", "DO", "NP"):
        words, degree = words[:-1], True
    bare = [word for word in words if not _plain(word)]
    if not bare or (all(word.isupper() for word in words) and not (titled or degree)):
        return []
    if titled or degree:
        return [Name(start, end, words, "person", True)]
    if len(words) > 1 and any(word.lower() in ORGANISED for word in words):
        return [Name(start, end, words, "organisation", True)]
    if len(bare) > 1 or (len(words) > 1 and not _plain(words[0])):
        return [Name(start, end, words, "name", False)]
    return []


def _plain(word: str) -> bool:
    folded = word.lower()
    bare = folded.removesuffix("'s")
    return (
        len(bare) < 2
        or bare in COMMON
        or bare in MEDICAL
        or bool(ingredients_of(bare))
        or (word.isupper() and len(word) <= 5)
    )


def citations(text: str) -> list[Citation]:
    """Every trial, journal reference and society of a text, in order."""
    found = [
        Citation(m.start(), m.end(), "journal", " ".join(m[0].split()), m["year"])
        for m in JOURNAL.finditer(text)
    ]
    shouting = len(text) > 50 and sum(c.isupper() for c in text) > 0.6 * sum(c.isalpha() for c in text)

    def free(match: re.Match[str]) -> bool:
        return not any(c.start < match.end() and match.start() < c.end for c in found)

    for match in TRIAL.finditer(text):
        name = match[0].rstrip("-")
        if free(match) and not (shouting and name.split("-")[0].split(" ")[0] in AMBIGUOUS):
            found.append(Citation(match.start(), match.end(), "trial", name))
    for match in SOCIETY.finditer(text):
        if not free(match):
            continue
        key = next(name for i, name in enumerate(SOCIETIES) if match[f"s{i}"])
        near = text[max(0, match.start() - 14) : match.end() + 70]
        year = CITED_YEAR.search(near)
        section = CITED_SECTION.search(near)
        found.append(
            Citation(
                match.start(),
                match.end(),
                "society",
                key,
                year[1] if year else "",
                section[1] if section else "",
            )
        )
    return sorted(found)
