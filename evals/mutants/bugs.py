"""The bugs: what each does, and the piece of source that it replaces."""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """`old` stands exactly once in the module; else the bug can't be planted and has to be written anew."""

    name: str
    kind: str
    module: str
    old: str
    new: str


_CRITERIA, _DETERMINE, _DATES = "tools.criteria", "tools.determine", "tools.dates"
_ELIGIBILITY, _QUANTITY, _REQUEST = "tools.eligibility", "tools.quantity", "tools.request"
_DOCUMENTS, _JUDGE = "tools.documents", "tools.evidence.judge"
_LABS, _MEASURED = "tools.evidence.labs", "tools.evidence.measurements"
_COURSES, _DIAGNOSES = "tools.evidence.courses", "tools.evidence.diagnoses"
_CERTAINTY, _NOTES, _ASSERTION = (
    "tools.evidence.certainty",
    "tools.evidence.notes",
    "tools.language.assertion",
)
_STATED, _SUPPLY = "tools.evidence.statements", "tools.evidence.supply"

BUGS = (
    Bug("at-least-is-above", "operator", _JUDGE, "operator.ge", "operator.gt"),
    Bug("below-is-at-most", "operator", _JUDGE, "operator.lt", "operator.le"),
    Bug("above-is-at-least", "operator", _JUDGE, "operator.gt", "operator.ge"),
    Bug(
        "window-a-day-short",
        "lookback",
        _JUDGE,
        "self.day.firsts[within] = within.before(self.as_of)",
        "self.day.firsts[within] = date.fromordinal(within.before(self.as_of).toordinal() + 1)",
    ),
    Bug(
        "window-a-day-long",
        "lookback",
        _JUDGE,
        "self.day.firsts[within] = within.before(self.as_of)",
        "self.day.firsts[within] = date.fromordinal(within.before(self.as_of).toordinal() - 1)",
    ),
    Bug(
        "statement-window-excludes-its-last-day",
        "lookback",
        _STATED,
        "leaf.within is not None and day < judge.first(leaf.within)",
        "leaf.within is not None and day <= judge.first(leaf.within)",
    ),
    Bug(
        "paper-window-excludes-its-last-day", "lookback", _DOCUMENTS, "item.day >= first", "item.day > first"
    ),
    Bug("offset-of-a-unit-forgotten", "unit", _MEASURED, " + Decimal(offset))", ")"),
    Bug("units-not-converted", "unit", _MEASURED, 'value if factor == "1" else ', "value or "),
    Bug(
        "no-unit-is-a-unit",
        "unit",
        _MEASURED,
        'rejected.append(_rejected(seen, "unit", "no unit"))',
        "usable.append(Value(seen.value, day, (seen,)))",
    ),
    Bug(
        "open-before-failed",
        "order of checks",
        _DETERMINE,
        'if "not_met" in statuses:',
        'if "not_met" in statuses and "unknown" not in statuses:',
    ),
    Bug(
        "quantity-before-criteria",
        "order of checks",
        _DETERMINE,
        "    statuses = [finding.status for finding in criteria]\n",
        '    if quantity.status == "not_met":\n        return "quantity_exception", "quantity"\n'
        "    statuses = [finding.status for finding in criteria]\n",
    ),
    Bug(
        "exclusion-unknown-ignored",
        "order of checks",
        _DETERMINE,
        'if "unknown" in statuses or "unknown" in excluded:',
        'if "unknown" in statuses:',
    ),
    Bug(
        "formulary-not-looked-at",
        "order of checks",
        _DETERMINE,
        "if benefit is None or not benefit.covered:",
        "if benefit is None:",
    ),
    Bug(
        "unknown-is-failed",
        "Kleene table",
        _CRITERIA,
        'return "unknown" if met + statuses.count("unknown") >= needed else "not_met"',
        'return "not_met"',
    ),
    Bug(
        "unknown-is-met",
        "Kleene table",
        _CRITERIA,
        'met = statuses.count("met")',
        'met = statuses.count("met") + statuses.count("unknown")',
    ),
    Bug("any-is-all", "Kleene table", _CRITERIA, "node.k if type(node) is AtLeast else 1", "count"),
    Bug("one-fewer-of-several", "any_of threshold", _CRITERIA, "node.k if type", "node.k - 1 if type"),
    Bug(
        "none-of-not-turned",
        "Kleene table",
        _CRITERIA,
        "not exclude if type(node) is NoneOf else exclude",
        "exclude",
    ),
    Bug(
        "latest-for-baseline",
        "baseline vs latest",
        _LABS,
        "        end = judge.therapy_start\n",
        "        end = judge.as_of\n",
    ),
    Bug(
        "baseline-before-the-first-day",
        "baseline vs latest",
        _LABS,
        "for value in usable if value.date <= start]",
        "for value in usable if value.date < start]",
    ),
    Bug(
        "first-criterion-dropped",
        "dropped criterion",
        _CRITERIA,
        "in tree.children]",
        "in tree.children[1:]]",
    ),
    Bug(
        "last-criterion-dropped",
        "dropped criterion",
        _CRITERIA,
        "in tree.children]",
        "in tree.children[:-1]]",
    ),
    Bug("exclusions-skipped", "exclusions", _CRITERIA, "for node in rule.exclusions]", "for node in ()]"),
    Bug(
        "refuted-counts",
        "refuted evidence",
        _JUDGE,
        'if entry.verification != "refuted"',
        'if entry.verification != "never"',
    ),
    Bug(
        "suspected-proves",
        "refuted evidence",
        _DIAGNOSES,
        'return entry.verification == "confirmed"',
        "return True",
    ),
    Bug(
        "ended-is-current",
        "ended evidence",
        _DIAGNOSES,
        'if leaf.status == "active" and entry.abated is not None',
        'if leaf.status == "never" and entry.abated is not None',
    ),
    Bug("approved-use-forgotten", "several uses", _REQUEST, "use = approval.indication", 'use = ""'),
    Bug("any-plan-will-do", "plan", _ELIGIBILITY, "period.plan_id == plan_id and _holds", "_holds"),
    Bug("enrolment-ends-a-day-early", "plan", _ELIGIBILITY, "as_of <= period.end)", "as_of < period.end)"),
    Bug("limit-itself-is-over", "quantity", _QUANTITY, "* in_days <= Decimal", "* in_days < Decimal"),
    Bug(
        "strength-limits-ignored",
        "quantity",
        _QUANTITY,
        "benefit.strength_limits.get(request.strength) or benefit.quantity_limit",
        "benefit.quantity_limit",
    ),
    Bug(
        "halves-rounded-down",
        "rounding",
        _MEASURED,
        "scaleb(-decimals), ROUND_HALF_UP)",
        'scaleb(-decimals), "ROUND_HALF_DOWN")',
    ),
    Bug(
        "percentages-rounded",
        "rounding",
        _LABS,
        "return fall * 100 >= Decimal(repr(leaf.percent)) * Decimal(repr(old))",
        "return round(fall * 100 / Decimal(repr(old))) >= leaf.percent",
    ),
    Bug(
        "renewal-judged-as-new",
        "renewal vs new",
        "tools.rules",
        'if kind != "renewal" or self.renewal',
        'if kind != "never" or self.renewal',
    ),
    Bug(
        "stale-is-met",
        "stale",
        _LABS,
        "if leaf.within is not None:\n        fresh",
        "if leaf.within == 0:\n        fresh",
    ),
    Bug("conflict-is-decided", "conflict", _LABS, "len(newest) > 1 and any(", "len(newest) > 9 and any("),
    Bug("oldest-governs", "newest", _MEASURED, "key=_date_of, reverse=True", "key=_date_of, reverse=False"),
    Bug("future-values-count", "dates", _MEASURED, "not born <= day <= as_of", "not born <= day"),
    Bug(
        "birthday-not-had",
        "age",
        _DATES,
        "(day.month, day.day) < (birth.month, birth.day)",
        "(day.month, day.day) <= (birth.month, birth.day)",
    ),
    Bug("years-subtracted", "age", _DATES, " - ((day.month, day.day) < (birth.month, birth.day))", ""),
    Bug("only-the-first-class", "class matching", _COURSES, "if cls in classes:", "if cls == classes[0]:"),
    Bug(
        "per-dose-above-minimum",
        "dose",
        _COURSES,
        "entry.dose >= leaf.min_dose)",
        "entry.dose > leaf.min_dose)",
    ),
    Bug("daily-dose-is-one-dose", "dose", _COURSES, "else dose * entry.per_day", "else dose"),
    Bug(
        "pauses-bridge-courses",
        "overlap of courses",
        _COURSES,
        "after.start <= before.end + timedelta(days=gap_days)",
        "after.start <= before.end + timedelta(days=30)",
    ),
    Bug(
        "trial-needs-a-day-more",
        "trial",
        _COURSES,
        "days < max(leaf.min_days, int(leaf.together)):",
        "days <= max(leaf.min_days, int(leaf.together)):",
    ),
    Bug(
        "any-response-will-do",
        "trial",
        _COURSES,
        "elif response_of(course.outcome) not in leaf.responses:",
        "elif not course.outcome:",
    ),
    Bug(
        "claims-not-asked-for",
        "trial",
        _COURSES,
        "if days is None or leaf.wants_fills:",
        "if days is None:",
    ),
    Bug(
        "own-drug-is-a-duplicate",
        "duplicate",
        _COURSES,
        "if entry.drug.casefold() == asked or not matches(",
        "if not matches(",
    ),
    Bug("allergy-is-intolerance", "allergy", _COURSES, 'if item.type == "intolerance"', "if item.type"),
    Bug(
        "family-not-looked-at",
        "family vs self",
        _DIAGNOSES,
        'if "family" in leaf.who:',
        'if "pets" in leaf.who:',
    ),
    Bug(
        "one-denial-for-everybody",
        "family vs self",
        _DIAGNOSES,
        "if len(denied) == len(leaf.who):",
        "if denied:",
    ),
    Bug(
        "silence-is-denial",
        "silence",
        _DIAGNOSES,
        'if exclude and leaf.evidence == "attestation":',
        'if exclude and leaf.evidence == "never":',
    ),
    Bug(
        "no-list-is-an-empty-list",
        "silence",
        _DIAGNOSES,
        "if judge.patient.conditions is None:",
        "if judge.patient.conditions == 0:",
    ),
    Bug(
        "papers-not-asked-for",
        "documents",
        _DETERMINE,
        'if [paper for paper in papers if paper.status != "met"]:',
        "if len(papers) > 99:",
    ),
    Bug(
        "worst-use-reported",
        "several uses",
        _DETERMINE,
        "min(tried, key=_preference)",
        "max(tried, key=_preference)",
    ),
    Bug(
        "papers-of-every-branch-asked-for",
        "documents",
        _DOCUMENTS,
        "counted = met[: node.needed] if isinstance(node, Composed) else met",
        "counted = met",
    ),
    Bug(
        "unsigned-note-is-a-note",
        "documents",
        _DOCUMENTS,
        'return "unsigned" if note.status in ("unsigned", "draft") or _calls_itself_unsigned(note.text) else None',
        "return None",
    ),
    Bug(
        "unsigned-paper-is-a-paper",
        "documents",
        _DOCUMENTS,
        'unsigned = item.status in ("unsigned", "draft") or (paper.of == "note" and not item.status)',
        "unsigned = False",
    ),
    Bug(
        "report-of-another-test-counts",
        "documents",
        _DOCUMENTS,
        "return bool(paper.test) and item.about != paper.test",
        "return False",
    ),
    Bug(
        "unknown-medicine-is-another",
        "unidentified",
        _CERTAINTY,
        "for entry in judge.unidentified():",
        "for entry in ():",
    ),
    Bug(
        "ingredient-is-another-product",
        "unidentified",
        "tools.products",
        "return None if goes_by_ingredient(item) else False",
        "return False",
    ),
    Bug(
        "unknown-substance-is-another",
        "unidentified",
        _CERTAINTY,
        'if item.type == "allergy" and not item.ingredients and not is_substance(item.substance):',
        "if False:",
    ),
    Bug(
        "uncoded-diagnosis-is-another",
        "unidentified",
        _CERTAINTY,
        "if not uncoded or answer.shown or judge.patient.conditions is None:",
        "if True:",
    ),
    Bug("both-types-of-diabetes", "conflict", _CERTAINTY, "if not mine or not against:", "if True:"),
    Bug(
        "fill-against-the-list-ignored",
        "conflict",
        _CERTAINTY,
        "if answer.shown or not judge.patient.fills:",
        "if True:",
    ),
    Bug(
        "fill-after-a-reaction-ignored",
        "conflict",
        _CERTAINTY,
        "if not answer.shown or not judge.patient.fills:",
        "if True:",
    ),
    Bug(
        "two-doses-are-one",
        "conflict",
        _CERTAINTY,
        "if both and one.end is None and other.end is None:",
        "if False:",
    ),
    Bug(
        "overlapping-courses-agree",
        "conflict",
        _CERTAINTY,
        "return (one.ingredients, one.dose, one.formulation, one.start) == (",
        "return False and (one.ingredients, one.dose, one.formulation, one.start) == (",
    ),
    Bug(
        "overlapping-programs-agree",
        "conflict",
        _CERTAINTY,
        "return one.start < (other.end or as_of) and other.start < (one.end or as_of)",
        "return False",
    ),
    Bug("notes-not-read", "free text", _CERTAINTY, "if sentence is None:", "if True:"),
    Bug(
        "everybody-is-the-patient",
        "free text",
        _ASSERTION,
        'return Assertion(cast("Sense", sense), subject, not hit.weak)',
        'return Assertion(cast("Sense", sense), "self", not hit.weak)',
    ),
    Bug(
        "denial-is-affirmation", "free text", _NOTES, '_DENIED = ("negated", "never", "void")', "_DENIED = ()"
    ),
    Bug("months-one-short", "months", _DATES, "day.month - 1 + months, 12)", "day.month - 2 + months, 12)"),
)
