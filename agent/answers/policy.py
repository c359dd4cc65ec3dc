"""What does the policy say: the clauses that answer, quoted, or that the policy does not say.

Whether it says anything is decided here, in code. A question's subjects (HbA1c, a specialist, metformin …) are
looked for among the criteria that the policy prints, so that a subject that it has no clause for is known to be
none; search by meaning ranks the clauses. Words that neither the policy nor its everyday questions use speak
against an answer. evals/retrieval/abstention.py measures it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from agent.answers.answer import Answer, Said, Source
from agent.answers.wording import drug_slot, plan_slot
from agent.ledger import Ledger
from agent.understanding.reading import Ask
from tools.bound import Bound
from tools.medicines import medicine
from tools.records import Benefit, Clause, Drug, Plan, Policy
from tools.rules import AllOf, AnyOf, AtLeast, Composite, Part, Rule
from tools.store.clauses import policy_chunks
from tools.store.everyday import fixed_clauses
from tools.terms import BRANDS, INDICATIONS, INGREDIENTS

if TYPE_CHECKING:
    from tools.store.clauses import Hit

MOST_QUOTES = 4
MOST_LISTED = 9  # clauses of a section that is asked for as a whole

# What a clause's rank owes to, beside its cosine with the question; tuned on the questions of questions.jsonl and the
# `dev` ones of abstention.jsonl.
SECTION, KIND, LEAF, OVERLAP = 0.18, 0.10, 0.10, 0.25
ENOUGH = 0.45  # cosine from which a clause may answer a question of no known subject …
THERE = 0.30  # … of a section that it names …
STRANGE = 0.30  # … of a known subject, with words that the policy does not know …
FOREIGN = 0.55  # … of a section, with such words …
CERTAIN = 0.62  # … and of none, with such words
NEAR = 0.14  # clauses this much below the best one are quoted with it, if they are of the subject
MOST_KEPT = 512  # policies whose words are remembered


class Subject(NamedTuple):
    """Something that a clause may be about: how a question says it, which criteria say it, and what it is called."""

    words: str
    kinds: tuple[str, ...]
    has: str  # in what the criterion names: alternatives by |, and by ; what is looked for if those before are not
    name: str


_VALUES = ("lab", "measured", "change", "document")
_ILLNESS = ("condition",)
_STATED = ("attested",)
SUBJECTS = tuple(
    Subject(*row)
    for row in (
        (
            r"\bages?\b(?! of)|how old (?:must|does|do|is|has|should)\b|years? old|year-olds?|\byo\b|\bminors?\b|\bteen"
            r"|\bchild|adolescen|\bkids?\b|p(?:a)?ediatric|youngest|turn(?:ed|s) \d+|birthday|adults?\b",
            ("age",), "", "age",
        ),
        (
            r"a1c|glycated|ha?emoglobin|(?:sugar|glucose|glyca?emic) control|average (?:blood )?sugar"
            r"|blood sugar average|\b3-month sugar",
            _VALUES, "hba1c", "HbA1c",
        ),
        (
            r"\bbmi\b|body.?mass|obesity (?:class|cut|thresh|level)|how heavy|\d ?(?:ft|foot|feet)\b|\bheight\b",
            ("lab", "document"), "bmi", "BMI",
        ),
        (
            r"\bweigh(?:ed|ing|s)?\b|\bweight (?:been|be|measure|reading|taken|on record|entr)|body weight"
            r"|(?:current|recent|old|new) (?:must |is |may |should )?(?:the |a |her |his )?weight\b"
            r"|weight\b[^.?]{0,30}(?:taken|measured|recorded)|for weight\b|on the scale|\bpounds\b|\blbs?\b|\bkilos?\b",
            ("measured", "change", "document"), "weight", "body weight",
        ),
        (
            r"slimmer|pounds must be lost|(?:lose|lost|losing|drop(?:ped)?)\b[^.?]{0,25}(?:weight|pounds"
            r"|\blb|\bkg|percent|%)"
            r"|weight[^.?]{0,20}\b(?:be lost|lost|loss)\b(?=[^?]*(?:renew|continu|reauth|extend|go on))"
            r"|(?:renew|reauth|continu|extend)[^?]{0,40}weight",
            ("change",), "weight", "weight lost",
        ),
        (
            r"\be?gfr\b|kidney (?:function|lab|test|filtration|number|value)|renal (?:function|clearance)"
            r"|creatinine|weak kidneys|kidneys? too weak",
            ("lab", "measured", "document"), "egfr", "eGFR",
        ),
        (r"uacr|\bacr\b|albumin|\burine\b", ("lab", "document"), "uacr", "the urine albumin/creatinine ratio"),
        (r"lvef|ejection|\bef\b|\becho", ("lab", "document"), "lvef", "the ejection fraction"),
        (
            r"\bahi\b|apno?ea.hypopn|sleep (?:study|test|lab)|polysomno|\bevents (?:per|an) hour|\d events"
            r"|overnight test",
            ("lab", "change", "document"), "ahi", "the apnea-hypopnea index",
        ),
        (r"fasting|\bfpg\b", ("lab",), "glucose", "fasting glucose"),
        (r"fibrosis|biops|elastograph|fibroscan|liver stage", ("lab", "document"), "fibrosis_stage", "fibrosis stage"),
        (r"\babi\b|ankle", ("lab",), "abi", "the ankle-brachial index"),
        (r"\btype (?:2|two|ii)\b|\bt2dm?\b|adult-onset|prediabet", _ILLNESS, "type 2", "type 2 diabetes"),
        (
            r"\btype (?:1|one|i)\b|\bt1dm?\b|juvenile|\blada\b|insulin.(?:dependent|production)|\bno insulin\b",
            _ILLNESS, "type 1", "type 1 diabetes",
        ),
        (
            r"medullary|\bmtc\b|\bmen.?(?:2|ii)|thyroid (?:cancer|carcinoma|tumou?r|malignan|nodule)|calcitonin|c-cell"
            r"|papillary|neck gland",
            _ILLNESS, "medullary", "medullary thyroid carcinoma",
        ),
        (r"pancreat", _ILLNESS, "pancreat", "pancreatitis"),
        (r"gastropar|stomach empty", _ILLNESS, "gastropar", "gastroparesis"),
        (
            r"pregnan|trimester|conceiv|gestation|for a baby|\bcarrying a\b",
            _ILLNESS, "pregnan", "pregnancy",
        ),
        (r"dialysis|end.stage|\besrd\b|kidney machine", _ILLNESS, "dialysis", "dialysis"),
        (r"ketoacid|\bdka\b", _ILLNESS, "ketoacid", "ketoacidosis"),
        (r"polycystic kidney|kidney cyst|\ba?d?pkd\b", _ILLNESS, "polycystic", "polycystic kidney disease"),
        (r"cirrho", _ILLNESS, "cirrho", "cirrhosis"),
        (r"central (?:sleep )?apno?ea", _ILLNESS, "central", "central sleep apnea"),
        (
            r"(?<!central )sleep apno?ea|\bosa\b|obstructive|(?<!central )(?<!sleep )\bapno?ea\b(?!.hypo)",
            _ILLNESS, "obstructive", "obstructive sleep apnea",
        ),
        (r"hypertens|\bhtn\b|blood pressure|pressure (?:pill|problem)", _ILLNESS, "hypertens", "hypertension"),
        (
            r"lipid|cholesterol|\bldl\b|triglycerid", _ILLNESS, "dyslipid", "dyslipidemia",
        ),
        (
            r"cardiovascular (?:disease|history)|\ba?s?cvd\b|heart disease|coronary|\bcad\b|clogged",
            _ILLNESS,
            "atherosclerotic;myocardial|stroke|peripheral", "cardiovascular disease",
        ),
        (
            r"heart attack|(?<!brain )(?<!cerebral )infarct|\bmi\b|stemi|coronary event",
            _ILLNESS,
            "myocardial;atherosclerotic", "a heart attack",
        ),
        (
            r"(?:cardiovascular|cardiac) events?"
            r"|heart conditions?", _ILLNESS, "myocardial|stroke;atherosclerotic", "cardiovascular events",
        ),
        (r"\bstrokes?\b|cerebral|brain infarct", _ILLNESS, "stroke;atherosclerotic", "stroke"),
        (
            r"peripheral arter|\bpad\b|claudicat|leg arter",
            _ILLNESS, "peripheral;atherosclerotic",
"peripheral arterial disease",
        ),
        (r"heart failure|\bhf[pr]?e?f?\b|cardiomyopath|weak heart"
         r"|cardiac insuff", _ILLNESS, "heart failure", "heart failure"),
        (
            r"\bckd\b|kidney (?:disease|damage)|nephropath|renal (?:disease|damage)|protects the kidney",
            _ILLNESS, "chronic kidney", "chronic kidney disease",
        ),
        (r"\b[mn]ash\b|fatty liver|steatohep", _ILLNESS, "mash", "MASH"),
        (
            r"lifestyle|\bdiet(?!it)|dietit|exercis|nutrition|coaching|classes\b|\bnoom\b|weight watchers|behavio"
            r"|\bgym\b|meal plan|weight (?:program|class)",
            ("programme", "document:programme", "attested"), "diet_exercise|lifestyle|programme", "a lifestyle program",
        ),
        (r"employer|sponsor", _STATED, "employer", "the employer's weight program"),
        (r"\bc?pap\b|airway pressure|breathing mask", _STATED, "pap_tried", "positive airway pressure"),
        (
            r"specialist|endocrinolog|cardiolog|pulmonolog|hepatolog|gastroenterolog|nephrolog"
            r"|sleep (?:doctor|medicine)"
            r"|family (?:doctor|physician)|primary care|\bpcp\b|general practi"
            r"|\bwho\b[^.?]{0,25}(?:prescrib|order|write)|which doctor",
            ("specialist",), "", "a specialist",
        ),
        (r"alcohol|\bdrinks?\b|drinking", _STATED, "low_alcohol", "alcohol"),
        (
            r"adher|complian|skip|miss(?:es|ing)? dos|as prescribed|regularly",
            _STATED, "adherent", "taking it as prescribed",
        ),
        (
            r"tolerat(?:es|ing)|tolerabil|no (?:side|adverse) effects|doing well",
            _STATED, "tolerating", "tolerating the drug",
        ),
        (r"standard.of.care|heart (?:med|drug)", _STATED, "cv_standard", "standard-of-care heart therapy"),
        (
            r"maintenance dose|(?:months|time|how long) on the drug|full dose|target dose|how long on (?:the|it)\b",
            ("on_drug",), "", "time on the drug",
        ),
        (
            r"comorbid|weight.related|qualifying (?:condition|illness)",
            _ILLNESS, "hypertens|type 2|dyslipid|obstructive|atherosclerotic|mash|heart failure",
            "weight-related conditions",
        ),
        (
            r"(?:for|just|only|purely)[^.?]{0,12}(?:weight|obesity)|to (?:lose weight|slim)"
            r"|weight (?:reduction|loss|management)"
            r"|cosmetic|vanity|get thinner|shed",
            ("use",), "weight", "weight loss",
        ),
        (
            r"\bnotes?\b|(?:progress|visit|office|chart) (?:record|entry)|write-up",
            ("document:note",), "note", "a chart note",
        ),
        (
            r"\bfills\b|fill (?:hist|rec)|fill (?:history|records?)|pharmacy (?:claims|fills?|record)"
            r"|claims (?:data|history)"
            r"|dispensing|refill records?|picked up",
            ("document:fills",), "fills", "pharmacy fills",
        ),
        (
            r"lab (?:report|result|printout|work)|bloodwork|result sheet|printouts?",
            ("document:lab",), "lab", "a lab report",
        ),
        (
            r"\bfell\b|\bfall\b|\bdrop(?:ped)?\b|went (?:down|from)|\bfrom \d[\d.]* to \d|improve"
            r"|response\b(?! t)|\bchange\b",
            ("change",), "", "improvement",
        ),
        (r"which icd|icd-?10|diagnosis code|which diagnos", _ILLNESS, "", "the diagnosis"),
    )
)  # fmt: skip

_STEP = re.compile(
    r"\bsteps?\b(?!-down)|fail\w*[ -]first|first.line|\btr(?:y|ies|ied)\b|(?<!clinical )\btrials?\b"
    r"|prior (?:\w+ )?(?:therap|drug|treat|medic|agent)|\bfail"
    r"|beforehand|(?:tried|try|used?|required|come|needed|have|him|her|it|generic|drug|pill|\w+ide|\w+ance) first\b"
    r"|before (?:it|this|that|they|moving|approv)|earlier (?:on|drug|therap|treatment)"
    r"|(?:other|another) (?:drug|treatment|medic)|(?:weeks|months|days|long) on\b|moving on",
    re.IGNORECASE,
)
_STOMACH = re.compile(
    r"intoleran|tolerate|side.effect|nause|vomit|thr(?:ow|ew) up|throw(?:s|ing) up|diarrh|cramp|bloat|upset"
    r"|\bgi\b|loose stool",
    re.IGNORECASE,
)
_SUFFERED = re.compile(
    r"intoleran|tolerate\b|(?:off|stopp?|made|gave|forced|count|accept|after|because)[^?]*(?:side.effect|nause|vomit|diarrh|cramp"
    r"|upset|throw|threw|stool)|(?:side.effect|nause|vomit|diarrh|cramp|upset|thr[eo]w|stool)[^?]*(?:off|stopp?|count|accept)",
    re.IGNORECASE,
)
_ALLERGY = re.compile(r"allerg|hypersens|hives|anaphyl|swollen|\brash", re.IGNORECASE)
_TOGETHER = re.compile(
    r"together|combin|\bwith\b|stay on|both\b|at once|same time|overlap|stack|while (?:taking|on)|still (?:on|taking)"
    r"|already on|on .* at present|concurren|alongside|in addition",
    re.IGNORECASE,
)
_CLASS_WORDS = {
    "glp1": r"glp|incretin",
    "dpp4": r"dpp|gliptin",
    "sglt2": r"sglt|gliflozin",
    "sulfonylurea": r"sulfonylurea",
    "tzd": r"thiazolidinedione|glitazone|\btzd",
    "biguanide": r"biguanide|first(?:-line)? (?:diabetes )?(?:pill|tablet)|(?:cheap|usual) (?:generic|pill|tablet)"
    r"|generic (?:diabetes )?(?:pill|tablet)",
    "insulin": r"\binsulin\b",
    "statin": r"\bstatins?\b",
    "anorectic": r"weight.loss drug|appetite",
}

Section = Literal["criteria", "documentation", "quantity", "authorization", "renewal", "exclusions", "appeal"]
_SECTIONS: tuple[tuple[Section, str], ...] = (
    (
        "appeal",
        r"appeal|denial|denied|den(?:y|ies) it|turned (?:us )?down|reject|grievance|redetermin|reconsider|fair hearing"
        r"|peer.to.peer|\bp2p\b|doctor.to.doctor|external review|outside review|independent review|third.party review"
        r"|overturn|dispute|contest\b|challenge|upheld|medical director|plan physician",
    ),
    (
        "quantity",
        r"quantit|supply limit|\bcap\b|how many|(?:pills?|tablets?) (?:a|per) day|injector|liquid"
        r"|how much (?:is|per|can|will they)|per (?:month|fill|28|30)|a month\b|\bpens?\b|tablets?\b|\bml\b"
        r"|limit\b|maximum|\bmax\b|early refill|refill|allot|emergency supply|mail.order|samples?\b|coupon"
        r"|starting dose"
        r"|introductory|strengths?\b|two (?:a|at)|ninety|per claim",
    ),
    (
        "authorization",
        r"time.?frame|response time|when (?:do|will|does) (?:they|the \w+) (?:decide|answer|respond)"
        r"|plan year|non-?formulary|outside the formulary|(?:renewal|approval"
        r"|authorization) term|how long[^.?]*(?:approv|authoriz|good|valid|last|permission|\bok\b|certif)"
        r"|(?:approv|authoriz|certif)\w*"
        r" (?:length|period|last|good|span|duration)|length of|duration of|for how long|months is the"
        r"|run out|valid until"
        r"|how (?:fast|soon|quick)|turnaround|decision time|(?:decide|answer|review|process)\w*[^.?]*(?:request|time)"
        r"|how long[^.?]*(?:decide|decision|determination|answer|review)|renewal (?:period|last)|expedit|urgent"
        r"|second.year|follow-up approval|how many months",
    ),
    (
        "renewal",
        r"renew|reauth|re-?certif|re-?approv|continu|extend|keep getting|go on\b|stay approved|ongoing|second year"
        r"|yearly check|maintenance|stay on",
    ),
    (
        "documentation",
        r"document|attach|(?:file|request) contain|accompan|prove\b|enclose|\bsend\b|\bsubmit|include|paper"
        r"|proof|\bnotes?\b"
        r"|\breport|printout|fill (?:history|record)"
        r"|pharmacy (?:claims|fill)|claims? (?:history|data)|refill record|copy|certificate|evidence"
        r"|go with the request"
        r"|chart entry",
    ),
    (
        "exclusions",
        r"exclu|rules? (?:\w+ )?out|contraindic|disqualif|not covered|cannot get|can't get|refus|reason to"
        r"|stops? (?:it|her|him)"
        r"|bar(?:s|red)\b|prohibit",
    ),
    (
        "criteria",
        r"criteri|require|qualif|need|must|count\b|threshold|cutoff|minimum|eligib|covered for|get it",
    ),
)
_WHOLE = re.compile(
    r"criteria|requirements?\b|what does (?:it|the (?:policy|plan|payer)) (?:say|want|require|ask)"
    r"|what (?:do|does) (?:they|"
    r"it|the \w+) (?:want|require|need|ask)|what rules|what excludes|exclusions|which (?:documents?"
    r"|documentation|papers)|contraindicated situations|make them refuse|what (?:would|can|could) stop"
    r"|paperwork|(?:documents?|documentation|records) (?:are |is )?(?:needed|required)|documents for"
    r"|(?:file|request) contain|what (?:has|have) to (?:accompany|be sent|go)"
    r"|what (?:documents?|documentation|papers|paperwork|must|do we (?:have to )?(?:send|attach|submit))",
    re.IGNORECASE,
)
_ALWAYS = frozenset(
    """bulletin guide guidance script manual edit schedule guideline document insist insists option options
    agent agents oral
    situation situations lift indication indications standard vs versus supplya about accept accepted accepts
    according acceptable account actually add after again against ago all allow allowed
    allows also always am an eight five six seven nine ten twelve sixteen seventeen eighteen thirty ninety
    twice straight
    somebody mandatory along monthly yearly physician relative daughter brother sister mother father grandma
    and another any anybody anyone anything apply applies are around ask asked asks at available
    away back bad be because become been before being better between big both bring but by came can cannot case cases
    certain chance check checks clear clears close come comes common condition conditions correct could count
    counts cover
    coverage covered covers current currently cut date day days deal decide decides decision did different do doc doctor
    does doesn't doing don't done dont down drug drugs due during each earlier easy either else enough even ever every
    exact exactly example exceed expect far few fill fills final find fine first for form found four from full
    further gave
    general get gets getting give given go goes going good got great group guideline had half happen happens
    hard has have
    having he help her here high higher him his history hold how i idea if important in include included
    includes insurance
    insurer into involved is isn't issue it it's its just keep kind know language last late later latest law
    least left less
    let level like likely limit line list listed long longer look looks lot low lower made make makes many
    matter matters
    max may maybe me mean means medication medications medicine medicines meet meets member mention mentions might min
    minimum month months more most much must my name named necessary need needed needs never new newer next no none not
    note now number obtain of off offer offered often ok okay old older on once one ones only or order other
    our out over
    own paid part past patient patients pay payer payers pays people per percent person pill pills place plan
    plans please
    policies policy possible prefer preferred prescribe prescribed prescriber prescribing prescription previous prior
    problem process proof provide proven put qualifies qualify qualifying question questions quick quote quoted
    reach read
    reading really reason recent recently record records refer related report request requested require required
    requirement requirements requires result results right rule rules said same satisfy say saying says section see seem
    seen send sent set she should show shown shows sign signed since so some someone something soon speak
    specific specify
    start started state stated states still stop submit such suffice sure take taken takes taking talk tell
    test text than
    thanks that that's the their them then there these they thing things think this those though three through
    time times
    to today together told too took treated treatment treatments trial tried tries try trying two type under
    until up upon
    us use used uses using usual usually valid value values very want wanted wants was way we week weeks well went were
    what what's whats when where whether which while who whole whom whose why will with within without word
    work works would
    year years yes yet you your""".split()  # noqa: SIM905
)
_WORD = re.compile(r"[a-z][a-z'’-]+|\d+(?:\.\d+)?")

_NAMES = (
    "label",
    "test",
    "tests",
    "topic",
    "statement",
    "drugs",
    "classes",
    "specialties",
    "programme",
    "uses",
    "of",
)
_CHANGED = re.compile(
    r"\bchange\b|\bfell\b|\bfall|drop|went from|\bfrom \d[\d.]* to \d|improve|decrease|reduc|lost|lose",
    re.IGNORECASE,
)
_ON_FILE = re.compile(
    r"on (?:file|record)|in the chart|be measured|been measured|how (?:fresh|current|recent)", re.IGNORECASE
)
_AROUND = re.compile(
    r"around|alternative|substitute|waive|bypass|instead|skip|exempt|still (?:need|have)|without|way (?:out|round)",
    re.IGNORECASE,
)
_BENEFIT = re.compile(
    r"(?:pay(?:s|ing)? for|covers?|cover|reimburs\w*) (?:a |an |the |her |his |my |any )?(?:\w+ )?(?:dietit"
    r"|nutrition|gym|c?pap\b"
    r"|device|machine|class|membership|training|coach|visit|weight watchers)|(?:gym|coach|dietit|c?pap\b"
    r"|device|class)\w*(?: \w+)?"
    r" (?:be |is |are )?(?:cover|reimburs|includ)",
    re.IGNORECASE,
)
# Tests that no criterion is about, although it is about what they test for.
_TESTED = re.compile(
    r"(?:pregnancy|thyroid|cholesterol|lipid|liver|stress|allergy|genetic) (?:function )?test", re.IGNORECASE
)
_GENERIC = frozenset(("weight-related conditions", "the diagnosis", "improvement"))
# What a question calls the uses that a policy's rules are for, and the subjects that are the same.
_USE_WORDS = {
    "t2dm": r"type (?:2|two|ii)\b|t2dm?\b|for diabetes",
    "weight": r"weight (?:loss|management|reduction)|for obesity|weight use|weight indication",
    "cv": r"cardiovascular|\bcv\b|heart (?:indication|use|attack)|cardiac",
    "osa": r"sleep apno?ea|\bosa\b|apno?ea indication",
    "hf": r"heart failure|\bhf\b",
    "ckd": r"chronic kidney|\bckd\b|kidney (?:disease|indication|use)",
    "mash": r"\b[mn]ash\b|fatty liver|liver (?:indication|use)",
}
_USES = {
    "type 2 diabetes": "t2dm",
    "MASH": "mash",
    "obstructive sleep apnea": "osa",
    "heart failure": "hf",
    "chronic kidney disease": "ckd",
    "cardiovascular disease": "cv",
    "cardiovascular events": "cv",
    "a heart attack": "cv",
    "weight loss": "weight",
}
_FOR_A_USE = frozenset(("documentation", "authorization", "quantity"))
_MENTION = re.compile(
    r"mention|say (?:anything|something) about|speak of|talk about|address\b|how to\b", re.IGNORECASE
)
_EXCLUDED = re.compile(r"exclu", re.IGNORECASE)
_LOOSE = frozenset(("criteria", "documentation", "exclusions"))
_WHOLES: tuple[Section, ...] = ("exclusions", "documentation", "renewal", "criteria")
_COMMON = frozenset(
    """weight diseas manag manage chron diabet prescrib takes tak docum covered patient's histor syndrom
    patient condition therap another requir""".split()  # noqa: SIM905
)
_BY_KIND = (
    (_ALLERGY, "allergy", "an allergy"),
    (_SUFFERED, "intolerance", "intolerance"),
    (_STEP, "trial", "an earlier drug"),
)
_MEDICINE = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, (*BRANDS, *INGREDIENTS)), key=len, reverse=True))})\b",
    re.IGNORECASE,
)
# Clauses of the payer's own wording: section, what it is about, by which words.
_SAYS: tuple[tuple[Section, str, str], ...] = (
    ("authorization", "beyond", r"plan year"),
    ("authorization", "formulary", r"formulary"),
    ("authorization", "review", r"\b(?:decid|answer|determinations are made)"),
    (
        "appeal",
        "deadline",
        r"(?:appeal|grievance|redetermination|write|ask)\b[^.]*\d+ |\d+ [^.]*(?:appeal|grievance)",
    ),
    ("quantity", "exception", r"exception|larger"),
    ("appeal", "next", r"next level|go on to|then seek|after (?:the|both)|still say no"),
    ("appeal", "peer", r"peer|speak|clinician may"),
    ("appeal", "decision", r"\b(?:decid|answer|resolv|repl)\w* "),
    ("appeal", "outside", r"external|independent|outside|hearing"),
    ("appeal", "urgent", r"urgent|expedit|72"),
)
_ASKS = {
    "next": r"(?:after|beyond) the|next level|comes (?:next|after)",
    "exception": r"exception|more than|exceed|over the|larger",
    "limit": r"how many|how much|limit\b|quantit|max|per (?:month|fill)|a month|allot|pens?\b|tablets?\b",
    "starting": r"starting|introductory|lowest|0\.25|2\.5 mg",
    "initial": r"initial|first|approv|permission|\bok\b|certif|for how long|authoriz",
    "beyond": r"plan year",
    "formulary": r"formulary",
    "renewal": r"renewal (?:period|last|good)|renewal\b|reauth|extension|second|follow-up|next"
    r"|later approval|re-?certif",
    "review": r"response time|when (?:do|will)|how (?:fast|soon|quick)|turnaround|decide|decision|answer"
    r"|review|expedit|urgent"
    r"|determination|how long[^.?]*plan",
    "deadline": r"how (?:long|many days)|deadline|when|last day|too late|window|time (?:left|limit)|days to",
    "peer": r"peer|doctor.to.doctor|medical director|plan physician|talk|speak",
    "decision": r"how long[^.?]*(?:decide|answer|take)|turnaround|decide an|decision on",
    "outside": r"outside|external|independent|third.party|hearing|overturn|upheld|second no",
    "urgent": r"urgent|expedit|emergency|rush|fast",
}
# A clause of these is known by its words, however far it seems from the question; of those there is no other.
_OWN_WORDS = frozenset(("review", "deadline", "limit", "exception", "next", "peer", "outside"))
_ONLY_THERE = frozenset(("peer", "outside"))
_SPOKEN = (
    *(subject.words for subject in SUBJECTS),
    *(words for _, words in _SECTIONS),
    *_ASKS.values(),
    *_CLASS_WORDS.values(),
    *(known.pattern for known in (_STEP, _STOMACH, _ALLERGY, _TOGETHER, _AROUND, _WHOLE)),
)


class Found(NamedTuple):
    """What the policy has for a question: the clauses, best first; none, and `about` names what it has no clause for.
    `whole` is a section that was asked for as a whole."""

    clauses: tuple[Clause, ...] = ()
    about: str = ""
    whole: Section | None = None


class Printed(NamedTuple):
    """A criterion or document as a clause prints it, with the composites over it, outermost first, and its rules."""

    part: Part
    section: str
    above: tuple[Composite, ...]
    rules: tuple[Rule, ...]


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The clauses that answer, verbatim with their numbers; that the policy does not say; or which drug is meant."""
    if not ask.drugs:
        return _ask_back(bound, ledger)
    name = bound.store.drug(ask.drugs[0]).name
    policy = bound.policy(name)
    if policy is None:
        return _no_policy(name, bound, ledger)
    question = ask.about or ask.text
    drug = bound.store.drug(name)
    hits = bound.clauses(name, question, len(policy.clauses))
    found = find(policy, bound.plan.benefits[name], drug, question, hits, ask.indication)
    reply = Answer(intent="policy", ledger=ledger, drugs=(name,))
    if not found.clauses:
        reply.said += _silence(found, policy, bound.plan, ledger)
        return reply
    reply.said += _quotes(found, policy, bound.plan, drug, ledger)
    reply.sources += [
        Source(source=f"{policy.id} {clause.id}", quote=clause.text, kind="policy")
        for clause in found.clauses
    ]
    return reply


# --- deciding -------------------------------------------------------------------------------------------


def find(
    policy: Policy, benefit: Benefit, drug: Drug, question: str, hits: Iterable[Hit], indication: str = ""
) -> Found:
    """The clauses of this policy that answer the question. `hits` are all of its clauses as the search scores them."""
    known = _known(policy, benefit, drug)
    asked = _plain(question, drug)
    sections = _sections(asked)
    if _BENEFIT.search(asked) or _TESTED.search(asked):
        return Found()
    subjects = _subjects(asked, known, drug)
    subjects, indication = _meant(subjects, asked, sections, benefit, known, indication)
    foreign = _foreign(asked, known)
    scores = {hit.clause_id: _cosine(hit) for hit in hits}
    of_subject = frozenset[str]().union(*(ids for _, ids in subjects))
    if subjects:
        allowed = _in_sections(of_subject, asked, sections, known)
        floor = (CERTAIN if _MENTION.search(asked) else STRANGE) if foreign else 0.0
        if not allowed:
            return Found(about="" if of_subject else subjects[0][0])
    elif not foreign and (whole := _whole(asked, sections)):
        return Found(tuple(_leaves(whole, known, indication)), whole=whole)
    else:
        named = [name for name in sections if name not in _LOOSE]
        within = [one for name in named for one in known.by_section.get(name, ())]
        allowed = frozenset(within if named else known.clauses)
        floor = (FOREIGN if named else CERTAIN) if foreign else THERE if named else ENOUGH
        for kind in _ASKS.keys() & _OWN_WORDS if named else ():
            if _compiled(_ASKS[kind]).search(asked):
                saying = frozenset(
                    one for one in allowed if kind in known.says[one] or known.fixed.get(one) == kind
                )
                if saying and not foreign:
                    floor = 0.0
                elif kind in _ONLY_THERE:
                    allowed = saying
    if max((scores.get(one, 0.0) for one in allowed), default=0.0) < floor:
        return Found()
    content = {_stem(word) for word in _WORD.findall(asked) if word not in _ALWAYS}
    ranked = sorted(
        (
            (scores.get(one, 0.0) + _bonus(one, asked, content, sections, known, indication), one)
            for one in known.clauses
            if one in allowed
        ),
        key=lambda pair: -round(pair[0], 2),  # of equals the first in the policy
    )
    if not ranked:
        return Found()
    near = [
        one
        for score, one in ranked
        if (ranked[0][0] - score <= NEAR and one in of_subject) or one == ranked[0][1]
    ]
    return Found(tuple(known.clauses[one] for one in near[:MOST_QUOTES]))


class _Known(NamedTuple):
    """One policy as it is asked about."""

    clauses: dict[str, Clause]
    printed: dict[str, Printed]
    fixed: dict[str, str]  # clauses of fixed wording: limit, starting, initial, renewal
    by_section: dict[str, list[str]]
    words: frozenset[str]
    words_of: dict[str, frozenset[str]]
    payer: frozenset[str]  # words of its name
    says: dict[str, frozenset[str]]  # what clauses of the payer's own wording are about: review, deadline, …


_kept: dict[
    str, tuple[Policy, Benefit, _Known]
] = {}  # what was worked out, while policy and benefit are the same


def _known(policy: Policy, benefit: Benefit, drug: Drug) -> _Known:
    kept = _kept.get(policy.id)
    if kept and kept[0] is policy and kept[1] is benefit:
        return kept[2]
    by_section: dict[str, list[str]] = {}
    for clause in policy.clauses:
        by_section.setdefault(clause.section, []).append(clause.id)
    texts = {clause.id: clause.text for clause in policy.clauses}
    for chunk in policy_chunks(policy, benefit, drug):
        texts[chunk.clause_id] = " ".join((texts[chunk.clause_id], *chunk.views))
    words_of = {
        one: frozenset(_stem(word) for word in _WORD.findall(text.casefold())) for one, text in texts.items()
    }
    made = _Known(
        clauses={clause.id: clause for clause in policy.clauses},
        printed={entry.part.clause_id: entry for entry in printed(benefit)},
        fixed=fixed_clauses(policy, benefit, drug),
        by_section=by_section,
        words=frozenset().union(*words_of.values()),
        words_of=words_of,
        payer=frozenset(_WORD.findall(f"{policy.payer} {policy.plan_id}".casefold().replace("-", " "))),
        says=_says(policy),
    )
    if len(_kept) > MOST_KEPT:
        _kept.clear()
    _kept[policy.id] = (policy, benefit, made)
    return made


def printed(benefit: Benefit) -> Iterator[Printed]:
    """Every criterion, exclusion and document of the rules; a clause that several rules share stands once."""
    seen: dict[str, Printed] = {}
    for rule in benefit.rules:
        roots: list[tuple[str, Part]] = [("criteria", rule.criteria)]
        roots += [("renewal", rule.renewal)] if rule.renewal else []
        roots += [("exclusions", node) for node in rule.exclusions]
        roots += [("documentation", node) for node in rule.documents]
        for section, root in roots:
            for part, above in _walk(root, ()):
                before = seen.get(part.clause_id)
                rules = (*before.rules, rule) if before else (rule,)
                seen[part.clause_id] = Printed(part, section, above, rules)
    yield from seen.values()


def _walk(part: Part, above: tuple[Composite, ...]) -> Iterator[tuple[Part, tuple[Composite, ...]]]:
    yield part, above
    if isinstance(part, Composite):
        for child in part.children:
            yield from _walk(child, (*above, part))


def _plain(question: str, drug: Drug) -> str:
    """The question in lower case, with the drug that it is about as "it"."""
    names = sorted({drug.name, drug.generic, *drug.ingredients, *drug.aliases}, key=len, reverse=True)
    return re.sub(
        rf"\b(?:{'|'.join(map(re.escape, names))})\b", "it", question.casefold(), flags=re.IGNORECASE
    )


def _sections(asked: str) -> list[Section]:
    return [name for name, words in _SECTIONS if _compiled(words).search(asked)]


@lru_cache(maxsize=256)
def _compiled(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


def _subjects(asked: str, known: _Known, drug: Drug) -> list[tuple[str, frozenset[str]]]:
    """What the question is about, each with the clauses that are about it; one without is a subject the policy
    lacks."""
    parts = [entry.part for entry in known.printed.values()]
    found = [
        (subject.name, _about(subject, parts))
        for subject in SUBJECTS
        if _compiled(subject.words).search(asked)
    ]
    kinds = _kinds_of_medicine(asked)
    for name, ingredients, classes in _medicines(asked):
        ids = [p.clause_id for p in parts if _tag(p) in kinds and _takes(p, ingredients, classes)]
        found.append((name, frozenset(ids)))
    if not found:
        for words, kind, name in _BY_KIND:
            ids = [p.clause_id for p in parts if _tag(p) == kind]
            if words.search(asked) and not (kind == "trial" and "appeal" in _sections(asked)):
                found.append((name, frozenset(ids)))
                break
    if not found and not any(name in ("authorization", "quantity", "appeal") for name in _sections(asked)):
        found = _by_label(asked, parts)
    return found


def _meant(
    subjects: list[tuple[str, frozenset[str]]],
    asked: str,
    sections: list[Section],
    benefit: Benefit,
    known: _Known,
    indication: str,
) -> tuple[list[tuple[str, frozenset[str]]], str]:
    """Without what is only named beside: the use that the drug is for, the step that something else is a way around."""
    subjects = [one for one in subjects if one[0] not in _GENERIC] or subjects
    uses = {rule.indication for rule in benefit.rules}
    named = next(
        (use for use, words in _USE_WORDS.items() if use in uses and _compiled(words).search(asked)), ""
    )
    beside = [name for name, _ in subjects if _USES.get(name) in uses]
    rest = [(name, ids) for name, ids in subjects if name not in beside]
    if beside and ((any(ids for _, ids in rest) and len(uses) > 1) or _FOR_A_USE.intersection(sections)):
        subjects = rest
    if _AROUND.search(asked):
        ways = [
            (name, ids)
            for name, ids in subjects
            if any(_tag(known.printed[one].part) in ("condition", "lab") for one in ids)
        ]
        subjects = ways or subjects
    return subjects, indication or named


def _about(subject: Subject, parts: list[Part]) -> frozenset[str]:
    """The clauses about it: those that name the first of its alternatives that any names."""
    for has in subject.has.split(";"):
        ids = frozenset(part.clause_id for part in parts if _is_about(part, subject, has))
        if ids:
            return ids
    return frozenset()


def _is_about(part: Part, subject: Subject, has: str) -> bool:
    kinds = {_tag(part), f"{_tag(part)}:{getattr(part, 'of', '')}"}
    return bool(kinds.intersection(subject.kinds)) and any(one in _named(part) for one in has.split("|"))


def _tag(part: Part) -> str:
    return str(type(part).__struct_config__.tag)


def _named(part: Part) -> str:
    """What a criterion names, in lower case."""
    values = (getattr(part, name, "") for name in _NAMES)
    return " ".join(value if isinstance(value, str) else " ".join(value) for value in values).casefold()


def _medicines(asked: str) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """The other drugs and classes that the question names: how it names them, what they are made of, their classes."""
    found = []
    for name in dict.fromkeys(match.casefold() for match in _MEDICINE.findall(asked)):
        made = medicine(name)
        found.append((name, frozenset((name, *made.ingredients)), frozenset(made.classes)))
    for key, words in _CLASS_WORDS.items():
        match = _compiled(words).search(asked)
        if match and not any(key in classes for _, _, classes in found):
            found.append((match[0], frozenset(), frozenset((key,))))
    return found


def _takes(part: Part, ingredients: frozenset[str], classes: frozenset[str]) -> bool:
    """Does the criterion name this drug, or its class? A class that is named alone is also met by its drugs."""
    drugs = {name.casefold() for name in getattr(part, "drugs", ())}
    its = {*getattr(part, "classes", ())}
    if not ingredients:
        its.update(one for name in drugs for one in medicine(name).classes)
    return bool(drugs & ingredients) or bool(its & classes)


def _kinds_of_medicine(asked: str) -> tuple[str, ...]:
    """Which kinds of criteria a question about another drug is about."""
    if _ALLERGY.search(asked):
        return ("allergy",)
    if _STOMACH.search(asked):
        return ("intolerance",)
    if _STEP.search(asked):
        return ("trial", "intolerance", "document")
    if _TOGETHER.search(asked):
        return ("taking",)
    return ("trial", "intolerance", "allergy", "taking", "document")


def _by_label(asked: str, parts: list[Part]) -> list[tuple[str, frozenset[str]]]:
    """Conditions and statements of the policy's own that no list here knows, by the long words of their labels."""
    words = {_stem(word) for word in _WORD.findall(asked) if len(word) > 5} - _COMMON
    found = []
    for part in parts:
        if _tag(part) not in ("condition", "attested", "use"):
            continue
        label = getattr(part, "label", "") or getattr(part, "statement", "")
        own = {_stem(word) for word in _WORD.findall(label.casefold()) if len(word) > 5} - _COMMON
        if own & words:
            found.append((label, frozenset((part.clause_id,))))
    return found


def _in_sections(ids: frozenset[str], asked: str, sections: list[Section], known: _Known) -> frozenset[str]:
    """Those of the first section named that has any; what is asked for as an exclusion is looked for nowhere else."""
    for name in sections:
        inside = ids.intersection(known.by_section.get(name, ()))
        if inside:
            return inside
    return frozenset() if _EXCLUDED.search(asked) else ids


def _foreign(asked: str, known: _Known) -> set[str]:
    """Words of the question that neither the policy, nor the questions it is known to answer, nor plain
    English uses."""
    words = {
        word for word in _WORD.findall(asked) if word not in _ALWAYS and not word[0].isdigit()
    } - known.payer
    said = {
        word
        for words in _SPOKEN
        for match in _compiled(words).finditer(asked)
        for word in _WORD.findall(match[0])
    }
    begun = tuple(word for word in said if len(word) > 3)  # "cardiolog" of "cardiologist"
    return {
        word
        for word in words - said
        if _stem(word) not in known.words and not (begun and word.startswith(begun))
    }


def _stem(word: str) -> str:
    folded = word.casefold().replace("’", "'").removesuffix("'s").strip("'-")
    for ending in ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ed", "es", "s", "e", "y"):
        if folded.endswith(ending) and len(folded) - len(ending) >= 3:
            return folded[: -len(ending)]
    return folded


def _whole(asked: str, sections: list[Section]) -> Section | None:
    """The section that is asked for as a whole."""
    if not _WHOLE.search(asked):
        return None
    for name in _WHOLES:
        if name in sections:
            return name
    return None if sections else "criteria"


def _leaves(section: Section, known: _Known, indication: str) -> Iterator[Clause]:
    """The clauses of a section that state something; of a composite, its lead-in and not its branches."""
    depth = 1 if section in ("criteria", "renewal") else 0
    for clause_id, entry in known.printed.items():
        ours = not indication or any(rule.indication == indication for rule in entry.rules)
        if entry.section == section and len(entry.above) == depth and ours and clause_id in known.clauses:
            yield known.clauses[clause_id]


def _bonus(
    clause_id: str, asked: str, content: set[str], sections: list[Section], known: _Known, indication: str
) -> float:
    clause, entry = known.clauses[clause_id], known.printed.get(clause_id)
    score = SECTION if clause.section in sections[:1] else SECTION / 2 if clause.section in sections else 0.0
    if clause.section == "criteria" and not {"renewal", "exclusions", "documentation"}.intersection(sections):
        score += SECTION / 2
    if entry is not None and not isinstance(entry.part, Composite):
        score += LEAF + KIND * (_tag(entry.part) in _leading(asked))
    if indication and (
        INDICATIONS.get(indication, indication) in clause.text.casefold()
        or (entry is not None and any(rule.indication == indication for rule in entry.rules))
    ):
        score += SECTION
    if content:
        score += OVERLAP * len(content & known.words_of[clause_id]) / len(content)
    kinds = {known.fixed.get(clause_id, ""), *known.says.get(clause_id, ())}
    if _compiled(_ASKS["renewal"]).search(asked):
        kinds.discard("initial")
    if _compiled(_ASKS["exception"]).search(asked):
        kinds.discard("limit")
    return score + SECTION * any(
        _compiled(_ASKS[kind]).search(asked) is not None for kind in kinds if kind in _ASKS
    )


def _leading(asked: str) -> tuple[str, ...]:
    if _ALLERGY.search(asked):
        return ("allergy",)
    if _STOMACH.search(asked):
        return ("intolerance",)
    if _TOGETHER.search(asked) and not _STEP.search(asked):
        return ("taking",)
    if _ON_FILE.search(asked):
        return ("measured",)
    return ("change",) if _CHANGED.search(asked) else ("trial", "lab", "use", "programme")


def _says(policy: Policy) -> dict[str, frozenset[str]]:
    """What clauses of the payer's own wording are about; of several deadlines the first one is meant."""
    found: dict[str, frozenset[str]] = {}
    dated = False
    for clause in policy.clauses:
        kinds = {
            kind
            for section, kind, words in _SAYS
            if clause.section == section and _compiled(words).search(clause.text)
        }
        if dated or "peer" in kinds:
            kinds.discard("deadline")
        dated = dated or "deadline" in kinds
        found[clause.id] = frozenset(kinds)
    return found


def clauses_about(
    policy: Policy, kind: str, benefit: Benefit | None = None, drug: Drug | None = None
) -> list[Clause]:
    """The clauses that state the `review` time, a `deadline`, or with benefit and drug the `initial` or
    `renewal` period."""
    said = _says(policy)
    fixed = fixed_clauses(policy, benefit, drug) if benefit and drug else {}
    return [one for one in policy.clauses if kind in said[one.id] or fixed.get(one.id) == kind]


def _cosine(hit: Hit) -> float:
    """A score between 0 and 1; what BM25 finds is brought near to what a cosine would be."""
    return hit.score if hit.by == "meaning" else hit.score / (hit.score + 6.0)


# --- saying ------------------------------------------------------------------------------------------------


def _quotes(found: Found, policy: Policy, plan: Plan, drug: Drug, ledger: Ledger) -> list[Said]:
    """Each clause with its number; what it is one of, where it is one of several ways."""
    benefit = plan.benefits[policy.drug]
    known = _known(policy, benefit, drug)
    name = drug_slot(ledger, drug.name)
    if found.whole:
        return _listed(found, policy, known, name, ledger)
    first, *others = found.clauses
    lead = _LEADS.get(first.section, "The {drug} policy says").format(drug=name)
    quoted, others_too = _quoted(first, policy, ledger), _together(first, known, policy, ledger)
    text = f"{lead}{_use(first, known, ledger)}, {quoted}{others_too}"
    said = [Said(text=text, verbatim=True)]
    choice = _choice(first, known)
    if choice is not None and choice.clause_id in known.clauses:
        said.append(Said(text=_one_of(choice, policy, ledger), verbatim=True))
    for other in others:
        use = _use(other, known, ledger).removeprefix(", ")
        words = _quoted(other, policy, ledger, capital=not use)
        text = (
            f"{use[:1].upper()}{use[1:]}{', ' if use else ''}{words}{_together(other, known, policy, ledger)}"
        )
        said.append(Said(text=text, verbatim=True, bullet=True))
    return said


_LEADS = {
    "criteria": "The {drug} policy asks for this",
    "exclusions": "The {drug} policy counts as an exclusion",
    "renewal": "For a renewal the {drug} policy asks for this",
    "documentation": "On documents the {drug} policy says",
}


def _together(clause: Clause, known: _Known, policy: Policy, ledger: Ledger) -> str:
    """Which clauses must be met with this one, where it is but a part of one way."""
    entry = known.printed.get(clause.id)
    if entry is None or len(entry.above) < 2 or not isinstance(entry.above[-1], AllOf):
        return ""
    ids = [child.clause_id for child in entry.above[-1].children if child.clause_id not in ("", clause.id)]
    return f" (together with {', '.join(_number(one, policy, ledger) for one in ids)})" if ids else ""


def _listed(found: Found, policy: Policy, known: _Known, name: str, ledger: Ledger) -> list[Said]:
    """A section's clauses as a list, with how many are not shown."""
    what = {
        "criteria": f"For {name} the policy asks for:",
        "renewal": f"To renew {name} the policy asks for:",
        "exclusions": f"The policy excludes {name} where one of these is so:",
        "documentation": f"With a request for {name} the policy wants:",
    }[str(found.whole)]
    shown, rest = found.clauses[:MOST_LISTED], len(found.clauses) - MOST_LISTED
    said = [Said(text=what, verbatim=True)]
    for clause in shown:
        branches = _branches(clause, known, policy, ledger)
        text = f"{_quoted(clause, policy, ledger, capital=True)}{branches}"
        said.append(Said(text=text, verbatim=True, bullet=True))
    if rest > 0:
        more = ledger.add("count", rest, origin="derived", formula="clauses of the section not shown")
        said.append(Said(text=f"{more} more stand in the policy.", verbatim=True, bullet=True))
    return said


def _branches(clause: Clause, known: _Known, policy: Policy, ledger: Ledger) -> str:
    """Which clauses stand under a lead-in."""
    entry = known.printed.get(clause.id)
    if entry is None or not isinstance(entry.part, Composite):
        return ""
    ids = [child.clause_id for child in entry.part.children if child.clause_id]
    return f" (see {', '.join(_number(one, policy, ledger) for one in ids)})" if ids else ""


def _quoted(clause: Clause, policy: Policy, ledger: Ledger, capital: bool = False) -> str:
    quote = ledger.add(
        "quote", clause.text, origin="policy", source=f"{policy.id} {clause.id}", attribute="policy"
    )
    return f"{'In' if capital else 'in'} {_number(clause.id, policy, ledger)}: “{quote}”"


def _number(clause_id: str, policy: Policy, ledger: Ledger) -> str:
    return clause_slot(ledger, policy.id, clause_id)


def clause_slot(ledger: Ledger, policy_id: str, clause_id: str) -> str:
    """ "§ 1(a)(3)", and "clause 3.1" where the number alone could be any number."""
    source = f"{policy_id} {clause_id}"
    slot = ledger.add("code", clause_id, origin="policy", source=source, attribute="clause")
    return f"clause {slot}" if re.fullmatch(r"\d+(?:\.\w+)?", clause_id) else slot


def _use(clause: Clause, known: _Known, ledger: Ledger) -> str:
    """For which use a clause holds, where the policy has several and it does not hold for all."""
    entry = known.printed.get(clause.id)
    uses = {rule.indication for other in known.printed.values() for rule in other.rules}
    if entry is None or len(uses) < 2:
        return ""
    its = dict.fromkeys(rule.indication for rule in entry.rules)
    if len(its) == len(uses):
        return ""
    shown = [
        ledger.add(
            "words",
            INDICATIONS.get(one, one),
            origin="policy",
            attribute="indication",
            source=entry.rules[0].policy_id,
        )
        for one in its
    ]
    return f", for {' and '.join(shown)}"


def _choice(clause: Clause, known: _Known) -> Composite | None:
    """The outermost choice of which this clause is one way."""
    entry = known.printed.get(clause.id)
    if entry is None:
        return None
    return next((node for node in entry.above if isinstance(node, AnyOf | AtLeast)), None)


def _one_of(choice: Composite, policy: Policy, ledger: Ledger) -> str:
    ways = ledger.add(
        "count",
        len(choice.children),
        origin="policy",
        source=f"{policy.id} {choice.clause_id}",
        attribute="ways",
    )
    number = _number(choice.clause_id, policy, ledger)
    if isinstance(choice, AtLeast):
        least = ledger.add(
            "count", choice.k, origin="policy", source=f"{policy.id} {choice.clause_id}", attribute="ways"
        )
        return f"It is one of {ways} under {number}, of which {least} must be met."
    return f"It is one of {ways} ways to meet {number}; one is enough."


def _silence(found: Found, policy: Policy, plan: Plan, ledger: Ledger) -> list[Said]:
    """That the policy does not say, and whom to ask."""
    name, number = drug_slot(ledger, policy.drug), _policy_id(policy, ledger)
    if found.about:
        about = ledger.add("words", found.about, origin="request", source="question")
        text = f"The {name} policy does not say: no clause of {number} is about {about}."
    else:
        text = f"The {name} policy does not say: no clause of {number} answers this."
    said = [Said(text=text, verbatim=True)]
    if plan.phone:
        phone = ledger.add("code", plan.phone, origin="plan", source=f"plan:{plan.id}", attribute="phone")
        payer = ledger.add("name", plan.payer, origin="plan", source=f"plan:{plan.id}", attribute="payer")
        said.append(Said(text=f"{payer} can be asked at {phone}.", must=False))
    return said


def _no_policy(name: str, bound: Bound, ledger: Ledger) -> Answer:
    """There is no policy for the drug: it is not listed, not covered, or needs no PA."""
    benefit = bound.plan.benefits.get(name)
    drug = drug_slot(ledger, name)
    source = f"plan:{bound.plan.id}"
    plan = plan_slot(ledger, bound.plan)
    if benefit is None:
        text = f"{plan} does not list {drug}, so there is no policy for it."
    elif not benefit.covered:
        why = ledger.add("words", benefit.reason, origin="plan", source=source) if benefit.reason else ""
        text = f"There is no PA policy for {drug}: {plan} does not cover it" + (f" ({why})." if why else ".")
    elif not benefit.pa_required:
        text = f"There is no PA policy for {drug}: {plan} covers it without prior authorization."
    else:
        text = f"{plan} asks for prior authorization of {drug}, but its policy is not on file."
    return Answer(intent="policy", said=[Said(text=text, verbatim=True)], ledger=ledger, drugs=(name,))


def _ask_back(bound: Bound, ledger: Ledger) -> Answer:
    """No drug is known: the ones with a policy are offered."""
    choice = tuple(name for name, benefit in bound.plan.benefits.items() if benefit.pa_required)
    if not choice:
        plan = plan_slot(ledger, bound.plan)
        text = f"{plan} has no policy on file that asks for prior authorization."
        return Answer(intent="policy", said=[Said(text=text, verbatim=True)], ledger=ledger)
    names = [ledger.add("drug", name, origin="plan", source=f"plan:{bound.plan.id}") for name in choice]
    text = f"Which drug's policy do you mean: {', '.join(names)}?"
    return Answer(intent="policy", said=[Said(text=text, verbatim=True)], ledger=ledger, offered=choice)


def _policy_id(policy: Policy, ledger: Ledger) -> str:
    return ledger.add("code", policy.id, origin="policy", source=policy.id, attribute="policy")
