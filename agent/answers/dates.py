"""When: how long the payer takes, how long an approval lasts, when a result lapses, from when a step counts.

Only what the plan's table, its policy and the chart hold is said; a date that follows from them is computed here and
says from what. What they do not hold is not on file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from agent.answers.answer import Answer, Said, Source
from agent.answers.policy import clause_slot, clauses_about, printed
from agent.answers.wording import ask_back, drug_slot, drugs_meant, joined, plan_slot
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.domain.records import Benefit, Clause, Finding, Medication, Plan, Policy
from tools.domain.rules import (
    AnyOf,
    Attested,
    Change,
    Lab,
    Measured,
    Part,
    Period,
    Required,
    Rule,
    Trial,
    window_of,
)
from tools.evidence.courses import daily_dose
from tools.evidence.measurements import values_of
from tools.lifecycle.clocks import count, find, receipt
from tools.lifecycle.levels import LEVELS
from tools.papers import formats
from tools.queries.bound import Bound
from tools.terminology.medicines import medicine
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

MOST_LINES = 8
LEAD_IN = 14  # days before a result lapses in which it is said that it is about to


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The dates and clocks that are asked for; which drug is meant, where they depend on it."""
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=tuple(ask.drugs))
    drug = next(iter(drugs_meant(ask, bound)), "")
    if ask.query == "turnaround":
        _review(bound, drug, reply)
        return reply
    if not drug:
        return ask_back(ask.intent, bound, ledger)
    reply.drugs = reply.drugs or (drug,)
    if ask.query == "approval_length":
        _approval(ask, bound, drug, reply)
    else:
        windows(ask, bound, drug, reply)
    return reply


# --- the payer's clocks -----------------------------------------------------------------------------------


def _review(bound: Bound, drug: str, reply: Answer) -> None:
    plan, ledger = bound.plan, reply.ledger
    source, shown = f"plan:{plan.id}", plan_slot(ledger, plan)
    if plan.review_hours is None:
        reply.said.append(Said(text=f"How long {shown} takes to decide is not on file."))
    else:
        text = (
            f"{shown} decides a standard request within {_hours(plan.review_hours, 'review', source, ledger)}"
        )
        if plan.expedited_hours is not None:
            text += f", an urgent one within {_hours(plan.expedited_hours, 'urgent review', source, ledger)}"
        reply.said.append(Said(text=f"{text}."))
        reply.sources.append(Source(source=source, quote=f"{plan.name}, {plan.payer}", kind="plan"))
    policy = bound.policy(drug) if drug else None
    for clause in clauses_about(policy, "review")[:1] if policy else ():
        reply.said.append(_quoted(policy, clause, ledger, must=plan.review_hours is None))
        reply.sources.append(_source(policy, clause))


def _hours(hours: int, attribute: str, source: str, ledger: Ledger) -> str:
    """In days from four days on, as the field says it."""
    if hours > 72 and hours % 24 == 0:
        return ledger.add(
            "duration", hours // 24, unit="days", origin="derived", attribute=attribute, source=source,
            formula=f"{hours} hours / 24",
        )  # fmt: skip
    return ledger.add("duration", hours, unit="hours", origin="plan", attribute=attribute, source=source)


def appeals(bound: Bound, drug: str, reply: Answer, notice: date | None = None) -> None:
    """What is said of appeals, as policy or plan word it: a clock of a letter that is not here is nobody's to start.
    Of a day on which a notice is supposed to be written, until when the law then lets it be appealed."""
    plan, ledger = bound.plan, reply.ledger
    if notice is not None:
        _first_appeal(plan, notice, reply)
    policy = bound.policy(drug) if drug else None
    clauses = [one for one in policy.clauses if one.section == "appeal"] if policy else []
    if clauses:
        reply.said.append(Said(text=f"On appeals the {drug_slot(ledger, drug)} policy says:", verbatim=True))
        for clause in clauses[:MOST_LINES]:
            reply.said.append(_quoted(policy, clause, ledger, bullet=True))
            reply.sources.append(_source(policy, clause))
    elif plan.appeal:
        quote = ledger.add(
            "quote", plan.appeal, origin="policy", attribute="appeal", source=f"plan:{plan.id}"
        )
        reply.said.append(Said(text=f"On appeals {plan_slot(ledger, plan)} says: “{quote}”", verbatim=True))
        reply.sources.append(Source(source=f"plan:{plan.id}", quote=plan.appeal, kind="plan"))
    else:
        reply.said.append(Said(text=f"How to appeal to {plan_slot(ledger, plan)} is not on file."))
        return
    reply.said.append(
        Said(
            text="No denial letter is on file, so no date is set; the letter's own deadline governs.",
            must=False,
        )
    )


def _first_appeal(plan: Plan, notice: date, reply: Answer) -> None:
    line = plan.line_of_business
    level = next(iter(LEVELS.get(line, ())), None)
    filing = find(line, "file", level.key, internal_levels=plan.internal_levels) if level else None
    if level is None or filing is None:
        return
    due, add = count(filing, receipt(filing, notice, None)), reply.ledger.add
    day = add("date", notice, origin="case", attribute="asked", source="as of")
    last = add("date", due.day, origin="derived", attribute="deadline", source=filing.cite, formula=due.how)
    time = add("words", filing.period, origin="derived", attribute="deadline", source=filing.cite)
    law = add("words", filing.cite, origin="derived", attribute="law", source=filing.cite)
    text = f"After a denial with a notice of {day}, the {level.name} is to be asked for by {last} ({time}, {law})."
    reply.said.append(Said(text=text, verbatim=True))
    answered = find(line, "decision", level.key, internal_levels=plan.internal_levels)
    if answered is not None:
        within = add("words", answered.period, origin="derived", attribute="deadline", source=answered.cite)
        reply.said.append(Said(text=f"The plan then has {within} to answer it.", verbatim=True))


def _quoted(
    policy: Policy | None, clause: Clause, ledger: Ledger, *, bullet: bool = False, must: bool = True
) -> Said:
    source = f"{policy.id if policy else ''} {clause.id}"
    quote = ledger.add("quote", clause.text, origin="policy", attribute="policy", source=source)
    number = clause_slot(ledger, policy.id if policy else "", clause.id)
    number = number[0].upper() + number[1:]
    return Said(text=f"{number}: “{quote}”", verbatim=True, bullet=bullet, must=must)


def _source(policy: Policy | None, clause: Clause) -> Source:
    return Source(source=f"{policy.id if policy else ''} {clause.id}", quote=clause.text)


# --- approvals --------------------------------------------------------------------------------------------


def _approval(ask: Ask, bound: Bound, drug: str, reply: Answer) -> None:
    benefit, ledger = bound.plan.benefits.get(drug), reply.ledger
    if benefit is None or not benefit.rules:
        reply.said.append(_no_rule(bound, drug, benefit, ledger))
        return
    for words, rules in _alike(_rules(ask, benefit), bound.plan.id, ledger):
        first, later = rules[0].initial_months, rules[0].renewal_months
        source = _where(rules[0])
        initial = ledger.add(
            "duration", first, unit="months", origin="policy", attribute="approval", source=source
        )
        renewed = ledger.add(
            "duration", later, unit="months", origin="policy", attribute="approval", source=source
        )
        same = "" if first == later else f"; a renewal for {renewed}"
        also = ", and so is each renewal" if first == later else ""
        reply.said.append(
            Said(text=f"A first approval of {drug_slot(ledger, drug)}{words} is for {initial}{also}{same}.")
        )
    policy = bound.policy(drug)
    kinds = ("initial", "renewal") if policy else ()
    for kind in kinds:
        for clause in clauses_about(policy, kind, benefit, bound.store.drug(drug))[:2]:  # type: ignore[arg-type]
            cited = _source(policy, clause)
            if cited not in reply.sources:
                reply.sources.append(cited)
    granted(bound, drug, reply)


def granted(bound: Bound, drug: str, reply: Answer, *, running: bool = False) -> None:
    """Approvals on file for the drug, and whether they run; with `running`, those alone that do, under this plan."""
    ledger = reply.ledger
    mine = [one for one in bound.patient.authorizations if one.drug == drug]
    if running:
        mine = [one for one in mine if one.plan_id == bound.plan.id and one.start <= bound.as_of <= one.end]
    for one in mine:
        start = ledger.add("date", one.start, origin="chart", attribute="authorization", source=one.id)
        end = ledger.add("date", one.end, origin="chart", attribute="authorization end", source=one.id)
        plan = ledger.add("code", one.plan_id, origin="chart", attribute="plan", source=one.id)
        verb = (
            "runs" if one.start <= bound.as_of <= one.end else "ran" if one.end < bound.as_of else "will run"
        )
        other = "; it does not carry over to another plan" if one.plan_id != bound.plan.id else ""
        other = other or f"; renewable until {_renewable(one.end, bound.plan, ledger)}"
        use = INDICATIONS.get(one.indication, "")
        of_use = (
            f" for {ledger.add('words', use, origin='chart', attribute='indication', source=one.id)}"
            if use
            else ""
        )
        text = f"An approval by {plan} on file{of_use} {verb} from {start} to {end}{other}."
        reply.said.append(Said(text=text))
        reply.sources.append(
            Source(
                source=f"chart {one.id}",
                quote=f"{one.plan_id} approved {one.drug}, {one.start} to {one.end}",
                kind="chart",
            )
        )


def _renewable(end: date, plan: Plan, ledger: Ledger) -> str:
    """The last day on which a request is the renewal of an approval that ended so."""
    gap = timedelta(days=plan.renewal_gap_days)
    return ledger.add(
        "date", end + gap, origin="derived", attribute="renewal", source=f"plan:{plan.id}",
        formula=f"{end} + {gap.days} days",
    )  # fmt: skip


def _rules(ask: Ask, benefit: Benefit) -> list[Rule]:
    mine = [rule for rule in benefit.rules if rule.indication == ask.indication]
    return mine or list(benefit.rules)


def _alike(rules: list[Rule], plan_id: str, ledger: Ledger) -> Iterator[tuple[str, list[Rule]]]:
    """Rules of the same periods together, with " for …" where there are several uses."""
    groups: dict[tuple[int, int], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.initial_months, rule.renewal_months), []).append(rule)
    for group in groups.values():
        uses = [
            ledger.add(
                "words", INDICATIONS.get(rule.indication, rule.indication), origin="policy", attribute="indication",
                source=_where(rule),
            )
            for rule in group
        ]  # fmt: skip
        yield f" for {joined(uses)}", group


def _where(rule: Rule) -> str:
    return rule.policy_id or rule.id


def _no_rule(bound: Bound, drug: str, benefit: Benefit | None, ledger: Ledger) -> Said:
    plan, name = plan_slot(ledger, bound.plan), drug_slot(ledger, drug)
    if benefit is None:
        return Said(text=f"{plan} does not list {name}.")
    if not benefit.covered:
        return Said(text=f"{name} is not covered by {plan}, so no period is set.")
    if not benefit.pa_required:
        return Said(text=f"{plan} covers {name} without prior authorization, so no approval runs out.")
    return Said(text=f"Approval periods of {name} are not on file for {plan}.")


# --- windows ----------------------------------------------------------------------------------------------


def windows(ask: Ask, bound: Bound, drug: str, reply: Answer) -> None:
    """Until when each result and document of the request counts, and from when an ongoing step does."""
    benefit, ledger = bound.plan.benefits.get(drug), reply.ledger
    if benefit is None or not benefit.rules:
        reply.said += [_no_rule(bound, drug, benefit, ledger), *note_window(bound, ledger)]
        return
    stands = bound.determination(drug, ask.indication)
    use, lines = ask.indication or stands.indication, list[tuple[Part, str]]()
    entries = [*printed(benefit)]
    renewed = stands.request.kind == "renewal" and any(one.section == "renewal" for one in entries)
    for entry in entries:
        if entry.section == ("criteria" if renewed else "renewal") or (
            use and not any(rule.indication == use for rule in entry.rules)
        ):
            continue
        another_way = any(isinstance(node, AnyOf) for node in entry.above) and not isinstance(
            entry.part, Trial
        )
        if another_way and not _is_asked(entry.part, ask):
            continue
        line = _line(entry.part, bound, benefit, ledger)
        if line and line not in [text for _, text in lines]:
            lines.append((entry.part, line))
    asked = [pair for pair in lines if _is_asked(pair[0], ask)]
    if not asked and ask.query == "value_age":
        text = f"The {drug_slot(ledger, drug)} policy sets no window for it."
        reply.said.append(Said(text=text, verbatim=True))
        return
    asked = asked or lines
    if not asked:
        reply.said.append(
            Said(text=f"The {drug_slot(ledger, drug)} policy sets no window for anything in the chart.")
        )
        return
    plan = plan_slot(ledger, bound.plan)
    if len(asked) > 1:
        reply.said.append(Said(text=f"For {drug_slot(ledger, drug)} with {plan}:", verbatim=True))
    for part, text in asked[:MOST_LINES]:
        reply.said.append(Said(text=text, bullet=len(asked) > 1, verbatim=True))
        if part.quote:
            reply.sources.append(Source(source=f"{benefit.policy_id} {part.clause_id}", quote=part.quote))


def note_window(bound: Bound, ledger: Ledger) -> list[Said]:
    """Until when the latest note counts by all policies of the plan, where they agree."""
    lines = {
        window_of(entry.part): (entry.part, benefit)
        for benefit in bound.plan.benefits.values()
        for entry in printed(benefit)
        if isinstance(entry.part, Required) and entry.part.of == "note" and entry.section != "renewal"
    }
    if len(lines) != 1:
        return []
    ((part, benefit),) = lines.values()
    line = _line(part, bound, benefit, ledger)
    return [Said(text=f"For the drugs that have a policy: {line}", verbatim=True, must=False)] if line else []


def paper(finding: Finding, bound: Bound, drug: str, ledger: Ledger) -> str:
    """Of which day the paper is that a request's document is, and until when it counts; nothing if none is on file."""
    record = finding.evidence[0] if finding.status == "met" and finding.evidence else None
    if record is None or record.date is None or record.kind == "fill":
        return ""
    on = ledger.add("date", record.date, origin="chart", attribute="document", source=record.record_id)
    benefit = bound.plan.benefits[drug]
    for entry in printed(benefit):
        within = window_of(entry.part)
        if within and finding.clause and entry.part.clause_id == finding.clause.clause_id:
            until = _counts(
                record.date, within, record.record_id, "document", entry.part, bound, benefit, ledger
            )
            return f" It is of {on} and {until}"
    return f" It is of {on}."


def _is_asked(part: Part, ask: Ask) -> bool:
    """Does the query name this test or drug?"""
    tests = {getattr(part, "test", ""), *getattr(part, "tests", ())}
    if tests & set(ask.tests):
        return True
    if isinstance(part, Trial):
        named = {one.casefold() for name in ask.medicines for one in (name, *medicine(name).ingredients)}
        classes = {key for name in ask.medicines for key in medicine(name).classes}
        return bool(named & {name.casefold() for name in part.drugs} or classes & set(part.classes))
    return False


def _line(part: Part, bound: Bound, benefit: Benefit, ledger: Ledger) -> str:
    within = window_of(part)
    if isinstance(part, Trial):
        return _step_line(part, bound, benefit, ledger)
    if within is None or (isinstance(part, Lab) and (part.at == "baseline" or not part.of_newest)):
        return ""
    if isinstance(part, Lab | Change):
        return _test_line(part.test, within, part, bound, benefit, ledger)
    if isinstance(part, Measured):
        lines = (_test_line(test, within, part, bound, benefit, ledger) for test in part.tests)
        return " ".join(line for line in lines if line)
    if isinstance(part, Required) and part.test:
        return ""  # the criterion on the same test says it
    if isinstance(part, Required) and part.of == "note":
        dated = [note for note in bound.patient.notes if note.date and note.date <= bound.as_of]
        if not dated:
            return "No chart note is on record." + _asks(within, part, benefit, ledger)
        last = max(dated, key=lambda note: note.date or date.min)
        assert last.date is not None
        on = ledger.add("date", last.date, origin="chart", attribute="note", source=last.id)
        until = _counts(last.date, within, last.id, "note", part, bound, benefit, ledger)
        return f"The latest chart note is of {on}. It {until}"
    if isinstance(part, Attested):
        dated_said = [one for one in bound.patient.attestations if one.topic == part.topic and one.date]
        if not dated_said:
            return ""
        said = max(dated_said, key=lambda one: one.date or date.min)
        assert said.date is not None
        on = ledger.add("date", said.date, origin="chart", attribute="statement", source=said.id)
        until = _counts(said.date, within, said.id, "statement", part, bound, benefit, ledger)
        return f"The prescriber's statement is of {on}. It {until}"
    return ""


def _test_line(test: str, within: Period, part: Part, bound: Bound, benefit: Benefit, ledger: Ledger) -> str:
    name = ledger.add("words", TESTS[test].name, origin="chart", attribute=test, source=f"test:{test}")
    usable = values_of(bound.patient, test, bound.as_of).usable
    if not usable:
        return f"{name} is not on record.{_asks(within, part, benefit, ledger)}"
    latest = usable[0]
    ids = ",".join(seen.id for seen in latest.seen)
    value = ledger.add(
        "value", latest.value, shown=formats.measure(test, latest.value), unit=TESTS[test].unit, on=latest.date,
        origin="derived" if latest.derived else "chart", attribute=test, source=ids,
        formula="weight / height²" if latest.derived else "",
    )  # fmt: skip
    on = ledger.add("date", latest.date, origin="chart", attribute=test, source=ids)
    return f"The {name} of {on} is {value}. It {_counts(latest.date, within, ids, test, part, bound, benefit, ledger)}"


def _counts(
    day: date,
    within: Period,
    source: str,
    attribute: str,
    part: Part,
    bound: Bound,
    benefit: Benefit,
    ledger: Ledger,
) -> str:
    """ "is recent enough until …" or "has been too old since …", with the window and its clause."""
    last = within.last(day)
    window = f"{_period(within, attribute, part, benefit, ledger)}{_clause(part, benefit, ledger)}"
    shown = ledger.add(
        "date", last, origin="derived", attribute=attribute, source=source, formula=f"{day} + {within}"
    )
    if last < bound.as_of:
        oldest = ledger.add(
            "date", within.before(bound.as_of), origin="derived", attribute=attribute, source=source,
            formula=f"{bound.as_of} - {within}",
        )  # fmt: skip
        today = bound.as_of == bound.store.day_of(bound.patient)
        on = (
            "today"
            if today
            else f"on {ledger.add('date', bound.as_of, origin='supposed', source='question')}"
        )
        return (
            f"is too old: it counted until {shown} (window {window}); {on} one of {oldest} or later counts."
        )
    soon = ", so a new one will soon be due" if (last - bound.as_of).days <= LEAD_IN else ""
    return f"is recent enough through {shown}{soon} (window {window})."


def _asks(within: Period, part: Part, benefit: Benefit, ledger: Ledger) -> str:
    length = _period(within, "window", part, benefit, ledger)
    return f" The policy wants one from the last {length}{_clause(part, benefit, ledger)}."


def _period(length: Period, attribute: str, part: Part, benefit: Benefit, ledger: Ledger) -> str:
    return ledger.add(
        "duration", length.count, unit=length.unit, origin="policy", attribute=f"window:{attribute}",
        source=f"{benefit.policy_id} {part.clause_id}",
    )  # fmt: skip


def _clause(part: Part, benefit: Benefit, ledger: Ledger) -> str:
    return f", {_number(part, benefit, ledger)}" if part.clause_id else ""


def _number(part: Part, benefit: Benefit, ledger: Ledger) -> str:
    return clause_slot(ledger, benefit.policy_id, part.clause_id)


def _step_line(part: Trial, bound: Bound, benefit: Benefit, ledger: Ledger) -> str:
    """From when an ongoing course is long enough; until when an ended one is recent enough."""
    if not part.min_days and not part.within_days:
        return ""
    for course in sorted(_courses(part, bound), key=lambda one: one.start or date.min, reverse=True):
        assert course.start is not None
        drug = ledger.add(
            "drug",
            course.drug,
            shown=course.drug[0].upper() + course.drug[1:],
            origin="chart",
            attribute="course",
            source=course.id,
            aliases=(course.drug, *course.ingredients),
        )
        start = ledger.add("date", course.start, origin="chart", attribute="start", source=course.id)
        days = _period(Period(part.min_days), "step", part, benefit, ledger)
        enough = course.start + timedelta(days=part.min_days)
        counted = ledger.add(
            "date", enough, origin="derived", attribute="course", source=course.id,
            formula=f"{course.start} + {part.min_days} days",
        )  # fmt: skip
        ongoing = course.end is None and course.status == "active"
        if ongoing and part.min_days:
            if enough <= bound.as_of or part.proof == "fills":
                return ""  # it has, or pharmacy claims say since when: the finding tells it
            clause = _number(part, benefit, ledger)
            return (
                f"{drug} is taken since {start}. That reaches the {days} of the step ({clause}) on {counted}."
            )
        if course.end and part.within_days:
            until = course.end + timedelta(days=part.within_days)
            end = ledger.add("date", course.end, origin="chart", attribute="end", source=course.id)
            last = ledger.add(
                "date", until, origin="derived", attribute="course", source=course.id,
                formula=f"{course.end} + {part.within_days} days",
            )  # fmt: skip
            word = "counts through" if until >= bound.as_of else "counted until"
            return f"{drug}, stopped on {end}, {word} {last} for the step ({_number(part, benefit, ledger)})."
    return ""


def _courses(part: Trial, bound: Bound) -> list[Medication]:
    names = {name.casefold() for name in part.drugs}
    found = []
    for course in bound.patient.medications or ():
        if part.min_daily_dose is not None and (daily_dose(course) or 0) < part.min_daily_dose:
            continue
        made = medicine(course.drug, bound.drugs)
        its = {course.drug.casefold(), *(course.ingredients or made.ingredients)}
        classes = set(course.classes or made.classes)
        right_form = part.formulation is None or course.formulation in (None, part.formulation)
        if course.start and right_form and (its & names or classes & set(part.classes)):
            found.append(course)
    return found
