"""What a clause may be about, and how a question says it."""

from __future__ import annotations

from typing import NamedTuple


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
            r"pregnan|trimester|conceiv|gestation|for a baby|\bcarrying a\b|\bexpectant\b"
            r"|\b(?:is|she's|are|if|who's) expecting\b(?! (?:to|an? (?:answer|decision|reply))\b)",
            _ILLNESS, "pregnan", "pregnancy",
        ),
        (
            r"dialy[sz]|end.stage|\besrd\b|\beskd\b|kidney machine|(?:renal|kidney) replacement",
            _ILLNESS, "dialysis", "dialysis",
        ),
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


CLASS_WORDS = {
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


# What a question calls the uses that a policy's rules are for, and the subjects that are the same.
USE_WORDS = {
    "t2dm": r"type (?:2|two|ii)\b|t2dm?\b|for diabetes",
    "weight": r"weight (?:loss|management|reduction)|for obesity|weight use|weight indication",
    "cv": r"cardiovascular|\bcv\b|heart (?:indication|use|attack)|cardiac",
    "osa": r"sleep apno?ea|\bosa\b|apno?ea indication",
    "hf": r"heart failure|\bhf\b",
    "ckd": r"chronic kidney|\bckd\b|kidney (?:disease|indication|use)",
    "mash": r"\b[mn]ash\b|fatty liver|liver (?:indication|use)",
}


USES = {
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


GENERIC = frozenset(("weight-related conditions", "the diagnosis", "improvement"))
