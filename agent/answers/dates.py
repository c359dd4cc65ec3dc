"""When: how long the payer takes, how long an approval lasts, when a result lapses, from when a step counts.

Only what the plan's table, its policy and the chart hold is said; a date that follows from them is computed here and
says from what. What they do not hold is not on file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from agent.answers.answer import Answer, Said, Source
from agent.answers.policy import clause_slot, clauses_about, printed
from agent.answers.terms import plan_source
from agent.answers.wording import ask_back, drug_slot, drugs_meant, joined, plan_slot, upper
from agent.dialogue.query import Ask
from agent.ledger import Ledger
from tools.common.dates import add_months
from tools.domain.records import (
    Attestation,
    Benefit,
    Clause,
    Determination,
    Finding,
    Medication,
    Note,
    Plan,
    Policy,
)
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
from tools.engine.documents import walk
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
SOON = 31  # days in which evidence lapses that a message about the request speaks of
LEAD_IN = 14  # days before a result lapses in which it is said that it is about to


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The dates and clocks that are asked for; which drug is meant, where they depend on it."""
    drug = next(iter(drugs_meant(ask, bound)), "")
    reply = Answer(ledger=ledger, drugs=ask.drugs)
    if ask.query == "turnaround":
        _review(ask, bound, drug, reply)
        return reply
    if not drug:
        return ask_back(bound, ledger)
    reply.drugs = reply.drugs or (drug,)
    if ask.query == "approval_length":
        approval(ask, bound, drug, reply)
    else:
        windows(ask, on_the_day(ask, bound), drug, reply)
    return reply


def on_the_day(ask: Ask, bound: Bound) -> Bound:
    """The chart and the plan, judged on the day that is named, if one is."""
    if ask.day is None:
        return bound
    return Bound(bound.store, bound.patient.id, as_of=ask.day, plan_id=bound.plan.id)


# --- the payer's clocks -----------------------------------------------------------------------------------


def _review(ask: Ask, bound: Bound, drug: str, reply: Answer) -> None:
    plan, shown = bound.plan, plan_slot(reply.ledger, bound.plan)
    if plan.review_hours is None:
        reply.say(f"How long {shown} takes to decide is not on file.")
    else:
        standard = _hours(plan.review_hours, "review", plan, reply.ledger)
        text = f"{shown} decides a standard request within {standard}"
        if plan.expedited_hours is not None:
            urgent = _hours(plan.expedited_hours, "urgent review", plan, reply.ledger)
            text += f", an urgent one within {urgent}"
        reply.say(f"{text}.")
        if ask.day is not None:
            _answered(ask.day, plan, reply)
        reply.sources.append(plan_source(plan))
    if policy := bound.policy(drug) if drug else None:
        for clause in clauses_about(policy, "review")[:1]:
            _quote(policy, clause, reply, must=plan.review_hours is None)


def _answered(sent: date, plan: Plan, reply: Answer) -> None:
    """Until when a request is decided that is sent on a day that was named."""
    add = partial(reply.ledger.add, "date", source=f"plan:{plan.id}")

    def due(hours: int) -> str:
        last = sent + timedelta(hours=hours)
        return add(last, origin="derived", attribute="review", formula=f"{sent} + {hours} hours")

    on = add(sent, origin="supposed", attribute="sent")
    urgent = f", an urgent one by {due(plan.expedited_hours)}" if plan.expedited_hours is not None else ""
    reply.say(
        f"Sent on {on}, a standard one is to be decided by {due(plan.review_hours or 0)}{urgent}.",
        verbatim=True,
    )


def _hours(hours: int, attribute: str, plan: Plan, ledger: Ledger) -> str:
    """In days from four days on, as the field says it."""
    add = partial(ledger.add, "duration", attribute=attribute, source=f"plan:{plan.id}")
    if hours > 72 and hours % 24 == 0:
        return add(hours // 24, unit="days", origin="derived", formula=f"{hours} hours / 24")
    return add(hours, unit="hours", origin="plan")


def appeals(bound: Bound, drug: str, reply: Answer, notice: date | None = None) -> None:
    """What is said of appeals, as policy or plan word it: a clock of a letter that is not here is nobody's to start.
    Of a day on which a notice is supposed to be written, until when the law then lets it be appealed."""
    plan, ledger = bound.plan, reply.ledger
    if notice is not None:
        _first_appeal(plan, notice, reply)
    policy = bound.policy(drug) if drug else None
    clauses = [one for one in policy.clauses if one.section == "appeal"] if policy else []
    if policy and clauses:
        reply.say(f"On appeals the {drug_slot(ledger, drug)} policy says:", verbatim=True)
        for clause in clauses[:MOST_LINES]:
            _quote(policy, clause, reply, bullet=True)
    elif plan.appeal:
        where = f"plan:{plan.id}"
        quote = ledger.add("quote", plan.appeal, origin="policy", attribute="appeal", source=where)
        reply.say(f"On appeals {plan_slot(ledger, plan)} says: “{quote}”", verbatim=True)
        reply.sources.append(Source(source=where, quote=plan.appeal, kind="plan"))
    else:
        reply.say(f"How to appeal to {plan_slot(ledger, plan)} is not on file.")
        return
    reply.say(
        "No denial letter is on file, so no date is set; the letter's own deadline governs.", must=False
    )


def _first_appeal(plan: Plan, notice: date, reply: Answer) -> None:
    line = plan.line_of_business
    level = next(iter(LEVELS.get(line, ())), None)
    filing = find(line, "file", level.key, internal_levels=plan.internal_levels) if level else None
    if level is None or filing is None:
        return
    due, add = count(filing, receipt(filing, notice, None)), reply.ledger.add
    derived = partial(add, origin="derived", attribute="deadline")
    day = add("date", notice, origin="case", attribute="asked", source="as of")
    last = derived("date", due.day, source=filing.cite, formula=due.how)
    presumed = (
        f" from its receipt, which is presumed {filing.presumed} days after it" if filing.presumed else ""
    )
    time = derived("words", f"{filing.period}{presumed}", source=filing.cite)
    law = add("words", filing.cite, origin="derived", attribute="law", source=filing.cite)
    text = f"After a denial with a notice of {day}, the {level.name} is to be asked for by {last} ({time}, {law})."
    reply.say(text, verbatim=True)
    answered = find(line, "decision", level.key, internal_levels=plan.internal_levels)
    if answered is not None:
        within = derived("words", answered.period, source=answered.cite)
        reply.say(f"The plan then has {within} to answer it.", verbatim=True)


def _quote(policy: Policy, clause: Clause, reply: Answer, *, bullet: bool = False, must: bool = True) -> None:
    source, ledger = f"{policy.id} {clause.id}", reply.ledger
    quote = ledger.add("quote", clause.text, origin="policy", attribute="policy", source=source)
    number = upper(clause_slot(ledger, policy.id, clause.id))
    reply.say(f"{number}: “{quote}”", verbatim=True, bullet=bullet, must=must)
    reply.sources.append(Source(source=source, quote=clause.text))


# --- approvals --------------------------------------------------------------------------------------------


def approval(ask: Ask, bound: Bound, drug: str, reply: Answer) -> None:
    """How long an approval of the drug is for, until when one of the day that is named, and those on file."""
    benefit, ledger = bound.plan.benefits.get(drug), reply.ledger
    if benefit is None or not benefit.rules:
        reply.said.append(_no_rule(bound, drug, benefit, ledger))
        return
    mine = [rule for rule in benefit.rules if rule.indication == ask.indication]
    for words, rule in _by_period(mine or benefit.rules, ledger):
        first, later = rule.initial_months, rule.renewal_months
        add = partial(ledger.add, "duration", unit="months", origin="policy", attribute="approval")
        initial, renewed = (add(months, source=_where(rule)) for months in (first, later))
        also = ", and so is each renewal" if first == later else f"; a renewal for {renewed}"
        until = _runs_out(ask.day, rule, ledger) if ask.day else ""
        reply.say(f"A first approval of {drug_slot(ledger, drug)}{words} is for {initial}{also}.{until}")
    if policy := bound.policy(drug):
        for kind in ("initial", "renewal"):
            about = clauses_about(policy, kind, benefit, bound.store.drug(drug))[:2]
            reply.cite(Source(source=f"{policy.id} {one.id}", quote=one.text) for one in about)
    granted(bound, drug, reply)


def _runs_out(given: date, rule: Rule, ledger: Ledger) -> str:
    add, months = partial(ledger.add, "date", source=_where(rule)), rule.initial_months
    on = add(given, origin="supposed", attribute="authorization")
    end = add(
        add_months(given, months),
        origin="derived",
        attribute="authorization end",
        formula=f"{given} + {months} months",
    )
    return f" Given on {on}, it runs to {end}."


def granted(bound: Bound, drug: str, reply: Answer, *, running: bool = False) -> None:
    """Approvals on file for the drug, and whether they run; with `running`, those alone that do, under this plan."""
    for one in bound.patient.authorizations:
        runs, here = one.start <= bound.as_of <= one.end, one.plan_id == bound.plan.id
        if one.drug != drug or (running and not (runs and here)):
            continue
        add = partial(reply.ledger.add, origin="chart", source=one.id)
        start = add("date", one.start, attribute="authorization")
        end = add("date", one.end, attribute="authorization end")
        plan = add("code", one.plan_id, attribute="plan")
        verb = "runs" if runs else "ran" if one.end < bound.as_of else "will run"
        other = "; it does not carry over to another plan"
        if here:
            other = f"; renewable until {renewable(one.end, bound.plan, reply.ledger)}"
        use = INDICATIONS.get(one.indication, "")
        of_use = f" for {add('words', use, attribute='indication')}" if use else ""
        reply.say(f"An approval by {plan} on file{of_use} {verb} from {start} to {end}{other}.")
        quote = f"{one.plan_id} approved {one.drug}, {one.start} to {one.end}"
        reply.sources.append(Source(source=f"chart {one.id}", quote=quote, kind="chart"))


def renewable(end: date, plan: Plan, ledger: Ledger) -> str:
    """The last day on which a request is the renewal of an approval that ended so."""
    gap = timedelta(days=plan.renewal_gap_days)
    return ledger.add(
        "date", end + gap, origin="derived", attribute="renewal", source=f"plan:{plan.id}",
        formula=f"{end} + {gap.days} days",
    )  # fmt: skip


def _by_period(rules: Sequence[Rule], ledger: Ledger) -> Iterator[tuple[str, Rule]]:
    """The first of the rules that have the same periods, with the uses " for …" that they are of."""
    groups: dict[tuple[int, int], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.initial_months, rule.renewal_months), []).append(rule)
    for group in groups.values():
        add = partial(ledger.add, "words", origin="policy", attribute="indication")
        uses = [add(INDICATIONS.get(one.indication, one.indication), source=_where(one)) for one in group]
        yield f" for {joined(uses)}", group[0]


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
    use, lines = ask.indication or stands.indication, dict[str, Part]()
    entries = [*printed(benefit)]
    renewed = stands.request.kind == "renewal" and any(one.section == "renewal" for one in entries)
    for entry in entries:
        of_another_use = use and not any(rule.indication == use for rule in entry.rules)
        if of_another_use or entry.section == ("criteria" if renewed else "renewal"):
            continue
        a_choice = any(isinstance(node, AnyOf) for node in entry.above) and not isinstance(entry.part, Trial)
        if not a_choice or _is_asked(entry.part, ask):
            lines.setdefault(_Windows(bound, benefit, ledger, ask).line(entry.part), entry.part)
    lines.pop("", None)
    asked = {line: part for line, part in lines.items() if _is_asked(part, ask)}
    one_thing = ask.query == "value_age"
    if not (asked or lines) or (one_thing and not asked):
        what = "it" if one_thing else "anything in the chart"
        reply.say(f"The {drug_slot(ledger, drug)} policy sets no window for {what}.", verbatim=one_thing)
        return
    asked = asked or lines
    plan = plan_slot(ledger, bound.plan)
    if len(asked) > 1:
        reply.say(f"For {drug_slot(ledger, drug)} with {plan}:", verbatim=True)
    for line, part in [*asked.items()][:MOST_LINES]:
        reply.say(line, bullet=len(asked) > 1, verbatim=True)
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
    line = _Windows(bound, benefit, ledger).line(part)
    return [Said(text=f"For the drugs that have a policy: {line}", verbatim=True, must=False)] if line else []


def lapsing_first(bound: Bound, found: Determination, ledger: Ledger) -> list[Said]:
    """Of the dated evidence of a request, what lapses first, if that is soon."""
    benefit = bound.plan.benefits[found.drug]
    holder = _Windows(bound, benefit, ledger)
    met = {one.clause.clause_id for one in walk(found.findings) if one.status == "met" and one.clause}
    last: dict[date, Part] = {}
    for entry in printed(benefit):
        day = holder.last(entry.part) if entry.part.clause_id in met else None
        if day is not None and bound.as_of <= day <= bound.as_of + timedelta(days=SOON):
            last.setdefault(day, entry.part)
    return [Said(text=holder.line(last[min(last)]), verbatim=True)] if last else []


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
            counts = _Windows(bound, benefit, ledger).counts
            return (
                f" It is of {on} and {counts(record.date, within, record.record_id, 'document', entry.part)}"
            )
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


class _Windows(NamedTuple):
    """Until when what is on the chart counts for the criteria of a drug."""

    bound: Bound
    benefit: Benefit
    ledger: Ledger
    ask: Ask | None = None  # of which of them on the day that it names is told too

    def line(self, part: Part) -> str:
        """What counts of the evidence for a criterion or document; nothing where it has no window."""
        within, patient = window_of(part), self.bound.patient
        if isinstance(part, Trial):
            return self._step(part)
        if within is None or (isinstance(part, Lab) and (part.at == "baseline" or not part.of_newest)):
            return ""
        if isinstance(part, Lab | Change):
            return self._test(part.test, within, part)
        if isinstance(part, Measured):
            return " ".join(filter(None, (self._test(test, within, part) for test in part.tests)))
        if isinstance(part, Required) and part.of == "note" and not part.test:
            notes = [note for note in patient.notes if note.date and note.date <= self.bound.as_of]
            told = self._latest("The latest chart note", notes, within, "note", part)
            return told or f"No chart note is on record.{self._asks(within, part)}"
        if isinstance(part, Attested):
            stated = [one for one in patient.attestations if one.topic == part.topic]
            return self._latest("The prescriber's statement", stated, within, "statement", part)
        return ""  # of a document, the criterion on the same test says it

    def last(self, part: Part) -> date | None:
        """The last day on which the newest evidence for a criterion or document counts; None where it has no window."""
        within, patient, as_of = window_of(part), self.bound.patient, self.bound.as_of
        days: list[date] = []
        if within is None or isinstance(part, Trial):
            return None
        if isinstance(part, Lab) and part.at != "baseline" and part.of_newest:
            days = [one.date for one in values_of(patient, part.test, as_of).usable[:1]]
        elif isinstance(part, Required) and part.of == "note" and not part.test:
            days = [note.date for note in patient.notes if note.date and note.date <= as_of]
        return within.last(max(days)) if days else None

    def _latest(
        self, name: str, records: Sequence[Note | Attestation], within: Period, attribute: str, part: Part
    ) -> str:
        dated = [(one.date, one.id) for one in records if one.date]
        if not dated:
            return ""
        day, record_id = max(dated, key=lambda one: one[0])
        on = self.ledger.add("date", day, origin="chart", attribute=attribute, source=record_id)
        return f"{name} is of {on}. It {self.counts(day, within, record_id, attribute, part)}"

    def _test(self, test: str, within: Period, part: Part) -> str:
        add = partial(self.ledger.add, attribute=test)
        name = add("words", TESTS[test].name, origin="chart", source=f"test:{test}")
        usable = values_of(self.bound.patient, test, self.bound.as_of).usable
        if not usable:
            return f"{name} is not on record.{self._asks(within, part)}"
        latest = usable[0]
        ids = ",".join(seen.id for seen in latest.seen)
        value = add(
            "value", latest.value, shown=formats.measure(test, latest.value), unit=TESTS[test].unit, on=latest.date,
            origin="derived" if latest.derived else "chart", source=ids,
            formula="weight / height²" if latest.derived else "",
        )  # fmt: skip
        on = add("date", latest.date, origin="chart", source=ids)
        return f"The {name} of {on} is {value}. It {self.counts(latest.date, within, ids, test, part)}"

    def counts(self, day: date, within: Period, source: str, attribute: str, part: Part) -> str:
        """ "is recent enough until …" or "has been too old since …", with the window and its clause."""
        as_of, last = self.bound.as_of, within.last(day)
        window = self._period(within, attribute, part)
        add = partial(self.ledger.add, "date", origin="derived", attribute=attribute, source=source)
        shown = add(last, formula=f"{day} + {within}")
        if last < as_of:
            oldest = add(within.before(as_of), formula=f"{as_of} - {within}")
            on = f"on {self._day()}" if self.supposed else "today"
            too_old = f"it counted until {shown} (window {window}); {on} one of {oldest} or later counts"
            return f"is too old: {too_old}.{self._on_that_day(within, attribute, part)}"
        due = (last - as_of).days <= LEAD_IN and not self.supposed
        soon = ", so a new one will soon be due" if due else ""
        then = self._on_that_day(within, attribute, part, counts=True)
        return f"is recent enough through {shown}{soon} (window {window}).{then}"

    @property
    def supposed(self) -> bool:
        """Whether it is judged on another day than the patient's own."""
        return self.bound.as_of != self.bound.store.day_of(self.bound.patient)

    def _day(self) -> str:
        return self.ledger.add("date", self.bound.as_of, origin="supposed", source="question")

    def _on_that_day(self, within: Period, attribute: str, part: Part, *, counts: bool = False) -> str:
        """Of what is asked about: that it still counts on the day that is named, and how long one of that day would."""
        if not (self.ask and self.ask.day and _is_asked(part, self.ask)):
            return ""
        day = self.bound.as_of
        last = self.ledger.add(
            "date",
            within.last(day),
            origin="derived",
            attribute=attribute,
            source="question",
            formula=f"{day} + {within}",
        )
        still = f" On {self._day()} it still counts." if counts else ""
        return f"{still} One of {self._day()} counts through {last}."

    def _asks(self, within: Period, part: Part) -> str:
        return f" The policy wants one from the last {self._period(within, 'window', part)}."

    def _period(self, length: Period, attribute: str, part: Part) -> str:
        """So long, with the clause that says so."""
        period = self._length(length, attribute, part)
        return f"{period}, {self._clause(part)}" if part.clause_id else period

    def _length(self, length: Period, attribute: str, part: Part) -> str:
        return self.ledger.add(
            "duration", length.count, unit=length.unit, origin="policy", attribute=f"window:{attribute}",
            source=f"{self.benefit.policy_id} {part.clause_id}",
        )  # fmt: skip

    def _clause(self, part: Part) -> str:
        return clause_slot(self.ledger, self.benefit.policy_id, part.clause_id)

    def _step(self, part: Trial) -> str:
        """From when an ongoing course is long enough; until when an ended one is recent enough."""
        if not part.min_days and not part.within_days:
            return ""
        as_of = self.bound.as_of
        for begun, course in sorted(_courses(part, self.bound), key=lambda one: one[0], reverse=True):
            add = partial(self.ledger.add, source=course.id)
            drug = add(
                "drug", course.drug, shown=upper(course.drug), origin="chart", attribute="course",
                aliases=(course.drug, *course.ingredients),
            )  # fmt: skip
            start = add("date", begun, origin="chart", attribute="start")
            days = self._length(Period(part.min_days), "step", part)
            derived = partial(add, "date", origin="derived", attribute="course")
            enough = begun + timedelta(days=part.min_days)
            counted = derived(enough, formula=f"{begun} + {part.min_days} days")
            if course.end is None and course.status == "active" and part.min_days:
                if enough <= as_of or part.proof == "fills":
                    return ""  # it has, or pharmacy claims say since when: the finding tells it
                reaches = f"reaches the {days} of the step ({self._clause(part)}) on {counted}"
                return f"{drug} is taken since {start}. That {reaches}."
            if course.end and part.within_days:
                until = course.end + timedelta(days=part.within_days)
                end = add("date", course.end, origin="chart", attribute="end")
                last = derived(until, formula=f"{course.end} + {part.within_days} days")
                word = "counts through" if until >= as_of else "counted until"
                return f"{drug}, stopped on {end}, {word} {last} for the step ({self._clause(part)})."
        return ""


def _courses(part: Trial, bound: Bound) -> Iterator[tuple[date, Medication]]:
    """The courses of what the step asks for, each with its first day."""
    names = {name.casefold() for name in part.drugs}
    for course in bound.patient.medications or ():
        if part.min_daily_dose is not None and (daily_dose(course) or 0) < part.min_daily_dose:
            continue
        made = medicine(course.drug, bound.drugs)
        its = {course.drug.casefold(), *(course.ingredients or made.ingredients)}
        classes = set(course.classes or made.classes)
        right_form = part.formulation is None or course.formulation in (None, part.formulation)
        if course.start and right_form and (its & names or classes & set(part.classes)):
            yield course.start, course
