"""The words for one determination: what was found, what the policy asks for, what to do next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from agent.answers.wording.findings import NAMES, asks_for_all, deciding_leaf, has_other_ways, worth_trying
from agent.answers.wording.headlines import HEADLINES
from agent.answers.wording.slots import (
    SUPPOSED,
    clause_source,
    cut,
    drug_slot,
    joined,
    listed,
    lower,
    outcome_slot,
    plan_slot,
    pronoun,
    sentence,
    tame,
    upper,
)
from agent.ledger import SLOT, Kind, Ledger, Origin
from tools.domain.records import Benefit, Determination, Evidence, Finding, Lead, Plan, Status
from tools.engine.alternatives import label_finding
from tools.messages import SAID, TASK, Action, Actor, Message, any_of, iso, message, render, term
from tools.terminology.matcher import medicines_in
from tools.terminology.observations import TESTS
from tools.terminology.terms import INDICATIONS

if TYPE_CHECKING:
    from tools.queries.bound import Bound


LONGEST_NAME = 80
LONGEST_LEAD = 160
MOST_ALTERNATIVES = 4
MOST_PARTS = 3  # of a criterion that are told together


class Words:
    """The words for one determination; facts go into the ledger as they are said."""

    def __init__(self, bound: Bound, ledger: Ledger, found: Determination, *, supposed: bool = False) -> None:
        self.bound, self.ledger, self.found, self.supposed = bound, ledger, found, supposed
        on_file = bound.plan
        self.plan_record: Plan = on_file if on_file.id == found.plan_id else bound.store.plan(found.plan_id)
        self.benefit: Benefit | None = self.plan_record.benefits.get(found.drug)

    def drug(self, name: str = "") -> str:
        return drug_slot(self.ledger, name or self.found.drug)

    def plan(self) -> str:
        return plan_slot(self.ledger, self.plan_record)

    def of_plan(self, kind: Kind, value: str | float, attribute: str) -> str:
        """What the plan's record says, as a slot."""
        source = f"plan:{self.plan_record.id}"
        return self.ledger.add(kind, value, origin="plan", source=source, attribute=attribute)

    def use(self) -> str:
        """ " for type 2 diabetes", if the use is known."""
        if not (use := INDICATIONS.get(self.found.indication)):
            return ""
        source = self.found.rule_id
        return f" for {self.ledger.add('words', use, origin='determination', source=source, attribute='indication')}"

    def request(self, *, capital: bool = False) -> str:
        """The drug, and that it is to go on if it is."""
        kinds = {"renewal": "the renewal of ", "continuation": "continued "}
        kind = kinds.get(self.found.request.kind or "", "")
        return f"{upper(kind) if capital else kind}{self.drug()}{self.use()}"

    def outcome(self, *, capital: bool = False) -> str:
        found = self.found
        return outcome_slot(self.ledger, found.outcome, found.drug, capital=capital, supposed=self.supposed)

    def count(self, number: int, of: str) -> str:
        return self.ledger.add("count", number, origin="derived", attribute=of, formula=f"{of} counted")

    def headline(self) -> str:
        """The outcome in one plain sentence, with drug and plan."""
        return HEADLINES[self.found.outcome](self)

    def named(self, finding: Finding) -> str:
        """The criterion in a few words."""
        found = finding.found
        if finding.exclusion and found is not None and found.code == "condition.unsaid":
            return self.told(found, finding, "chart", "named")
        name = NAMES.get(finding.criterion)
        if name is not None and (finding.parts or len(finding.text) > LONGEST_NAME // 2):
            return name
        if finding.parts or len(finding.text) > LONGEST_NAME:
            return self._value(finding.criterion.replace("_", " "), finding, "policy")
        return self.asked(finding)

    def shown(self, finding: Finding, most: int = 1) -> str:
        """What the chart shows of it."""
        if finding.parts:
            return self._shown_of_parts(finding, most)
        diagnoses = [item for item in finding.evidence if item.kind == "diagnosis"]
        dated = [item for item in diagnoses if item.date is not None]
        coded = [item for item in diagnoses if _CODE.match(str(item.value or ""))]
        if coded and finding.reason is None:
            return self._diagnosis((dated or coded)[0])
        if finding.found is None:
            return ""
        origin: Origin = "request" if finding.criterion == "quantity" else "chart"
        return self.told(finding.found, finding, origin)

    def _shown_of_parts(self, finding: Finding, most: int) -> str:
        """What decides a composite: of all that it asks for what fails; of ways, so many, those that lack the like of
        one thing together; where several are needed, those that there are."""
        if finding.status != "not_met":
            wanted = [part for part in finding.parts if part.status == finding.status] or [*finding.parts]
            most = MOST_PARTS if asks_for_all(finding) else most
            return ", and ".join(dict.fromkeys(filter(None, map(self.shown, wanted[:most]))))
        failing = [part for part in finding.parts if part.status != "met"]
        if asks_for_all(finding):
            return ", and ".join(dict.fromkeys(filter(None, map(self._shown_first, failing[:MOST_PARTS]))))
        ways = [part for part in worth_trying(finding) if part in failing] or failing
        told = self._lacking(ways[0], failing) or self.shown(ways[0])
        have = [part for part in finding.parts if part.status == "met"]
        if finding.needed < 2:
            return told
        names = f" ({listed([self.named(part) for part in have], MOST_PARTS, self)})" if have else ""
        there = f"{self.count(len(have), 'met')} of {self.count(finding.needed, 'needed')}"
        return f"{there} that are needed{names}; {told}"

    def _shown_first(self, finding: Finding) -> str:
        """What the chart shows of a part that fails; of one with several ways, of the way that is tried first."""
        ways = worth_trying(finding) if finding.parts and not asks_for_all(finding) else []
        return self.shown(ways[0] if ways and finding.status == "unknown" else finding)

    def _lacking(self, first: Finding, failing: Sequence[Finding]) -> str:
        """What the first way lacks, and all others that lack the like of it; nothing if none does."""
        found = first.found
        if found is None or first.parts:
            return ""
        leaves = (one.found for one in failing if not one.parts)
        told = any_of([one for one in leaves if one is not None and one.code == found.code])
        return self.told(told, first, "chart") if told is not None else ""

    def _diagnosis(self, item: Evidence) -> str:
        code, _, name = str(item.value).partition(" ")
        origin = self.origin(item.record_id)
        add = partial(self.ledger.add, origin=origin, source=item.record_id, attribute="diagnosis")
        coded, told = add("code", code, on=item.date), add("words", cut(name or code, 70))
        if origin == "supposed":
            return told
        if item.date is not None:
            coded += f", onset {add('date', item.date)}"
        return f"{told} ({coded})" if name else coded

    def against(self, finding: Finding) -> str:
        """What the chart shows, and what the policy asks for where the two are numbers to compare."""
        told = self.shown(finding)
        leaf = deciding_leaf(finding)
        if leaf.asks is not None and _is_compared(leaf):
            wanted = self.told(leaf.asks, leaf, "policy", "limit")
            other = ", among other ways" if finding.status != "met" and has_other_ways(finding) else ""
            return f"{told} (the policy asks for {wanted}{other})"
        return told

    def clause(self, finding: Finding) -> str:
        """The clause's number, or nothing."""
        if finding.clause is None:
            return ""
        number, source = finding.clause.clause_id, clause_source(finding)
        return self.ledger.add("code", number, origin="policy", source=source, attribute="clause")

    def status(self, finding: Finding, *, capital: bool = False) -> str:
        spoken = (_EXCLUDES if finding.exclusion else _STATUSES)[finding.status]
        return self.ledger.add(
            "status", finding.status, shown=upper(spoken) if capital else spoken,
            origin="supposed" if self.supposed else "determination",
            source=clause_source(finding) or self.found.rule_id,
            attribute=finding.clause.clause_id if finding.clause else finding.criterion, aliases=(finding.criterion,),
        )  # fmt: skip

    def step(self, finding: Finding, *, form: str = SAID, only: bool = True) -> str:
        """What would change it, in the imperative: all of it if the rule asks for all, else one of two ways.

        Args:
            form: SAID to whoever keeps the request going, TASK to the step's own actor.
            only: says of what nobody can bring about that nothing else would do.
        """
        if finding.status == "met":
            return ""
        if not finding.parts:
            return self._step(finding.action, finding, form, only) if finding.action is not None else ""
        parts, every = self._each_once(worth_trying(finding)), asks_for_all(finding)
        sole, actor = every or len(parts) == 1, self.actor(finding)
        if not parts:
            return ""
        two = [part.action for part in parts[:2] if part.action is not None]
        if not every and two and (either := any_of(two)):  # alike but for a name
            return self._step(either, parts[0], form, only=False)
        told = [self.step(parts[0], form=form, only=sole and only)]
        for part in parts[1 : MOST_PARTS if every else 2]:
            same = TASK if self.actor(part) == actor else SAID
            told.append(lower(self.step(part, form=same, only=sole and only)))
        return (", and also " if every else " or ").join(told)

    def _step(self, action: Action, finding: Finding, form: str, only: bool) -> str:
        told = self.told(action, finding, "policy", form, only=only)
        return told if only else sentence(self.ledger, told)

    def _each_once(self, parts: Sequence[Finding]) -> list[Finding]:
        """The parts of which there is something to say, each thing once."""
        return [*{text: part for part in reversed(parts) if (text := self.step(part))}.values()][::-1]

    def who(self, actor: Actor) -> str:
        """The actor in words, "the prescriber"; nothing for nobody in particular."""
        return term(f"actor.{actor}") if actor else ""

    def actor(self, finding: Finding) -> Actor:
        """Whose turn it is, by the first thing that would change it."""
        while finding.parts:
            if not (worth := worth_trying(finding)):
                return ""
            finding = worth[0]
        return finding.action.actor if finding.action is not None else ""

    def next_steps(self, most: int = 3) -> list[str]:
        """The engine's next actions in these words, the general ones last."""
        return [text for _, text in self.steps()][:most]

    def steps(self, *, tasks: bool = False) -> list[tuple[Action, str]]:
        """Each of the engine's next actions with its words, as far as there are any, or as its actor's task."""
        by_action = {finding.action: finding for finding in self.found.findings if finding.action is not None}
        told: dict[str, Action] = {}
        for action in self.found.actions:
            finding = by_action.get(action)
            if finding is not None and finding.exclusion and action.code == "excluded_by":
                continue  # said as "do not submit it while this stands"
            form = TASK if tasks and action.actor else SAID
            text = self.step(finding, form=form) if finding is not None else self._general(action, form)
            if text:
                told.setdefault(text, action)
        return [(action, text) for text, action in told.items()]

    def _general(self, action: Action, form: str) -> str:
        if action.code in ("review", "record_and_check"):
            return ""
        blank = Finding(criterion="next", status="unknown", text="")
        if action.code != "send":
            return self.told(action, blank, "plan", form)
        plan = self.plan_record
        to = {"fax": plan.fax, "phone": plan.phone, "portal": plan.portal}.get(plan.channel)
        slot = self.of_plan("words" if plan.channel == "portal" else "code", to, plan.channel) if to else ""
        how = message(f"send.{plan.channel}", to=slot or self.of_plan("name", plan.payer, "payer"))
        return self.told(message("send", how=how), blank, "plan")

    def prescriber(self) -> str:
        """Who settles what the chart leaves open: the prescriber's name, with the phone that is on file."""
        doctor = self.bound.patient.prescriber
        if doctor is None or not doctor.name:
            return ""
        add = partial(self.ledger.add, origin="chart", source="prescriber")
        name = add("name", doctor.name, attribute="prescriber")
        return f"{name}, phone {add('code', doctor.phone, attribute='phone')}" if doctor.phone else name

    def settles(self) -> str:
        """That the prescriber settles what is open, and how to reach them; nothing if none of it is theirs to say."""
        unmet = [one for one in self.found.findings if one.status != "met"]
        theirs = any(
            self.actor(one) == "prescriber" or (one.exclusion and one.status == "unknown") for one in unmet
        )
        who = self.prescriber() if theirs else ""
        return f"What the chart leaves open is for the prescriber to settle: {who}." if who else ""

    def met(self) -> str:
        """What is well, in one line: the criteria that are met, what is ruled out, the papers on file."""
        met = [one for one in self.found.findings if one.status == "met"]
        fine = [one for one in met if one.kind == "criterion"]
        told = [self.shown(one) or self.named(one) for one in fine if not one.exclusion]
        if ruled_out := sum(one.exclusion for one in fine):
            number = self.count(ruled_out, "exclusions ruled out")
            told.append(f"{number} exclusion{'' if ruled_out == 1 else 's'} ruled out")
        papers = [one for one in met if one.kind == "document"]
        told += [
            f"{self.named(one)} on file"
            for one in papers
            if one.found and one.found.code == "document.on_file"
        ]
        return f"Met: {'; '.join(told)}." if told else ""

    def off_label(self) -> str:
        """That the chart shows no use of the drug's label; nothing if it shows one. For a drug that the plan covers
        without asking for it."""
        drug, asked = self.bound.store.drug(self.found.drug), self.found.request.indication
        labels = [label for label in drug.indications if asked in ("", label.key)]
        outside = ""
        for label in labels:
            finding = label_finding(self.bound.patient, label, drug, self.found.as_of)
            if finding is None or finding.status == "met":
                return ""
            if any(_is_diagnosis(part) and part.status == "met" for part in finding.parts):
                short = [self.shown(part) for part in finding.parts if part.status == "not_met"]
                told = f"for {self._label_use(label.key)}, {' and '.join(short)} is outside it"
                outside = outside or (told if short else "")
        if outside:
            return f"The chart shows no use within the label of {self.drug()}: {outside}."
        uses = [self._label_use(label.key) for label in labels]
        if not uses:
            return f"The label of {self.drug()} does not name {self._label_use(asked)}."
        if asked:  # what other uses the chart shows is not said by it
            return f"The chart does not show the use of {self.drug()} that is asked for: {uses[0]}."
        return f"The chart shows no use that the label of {self.drug()} names: {joined(uses, 'or')}."

    def _label_use(self, key: str) -> str:
        use, source = INDICATIONS.get(key, key), f"drug:{self.found.drug}"
        return self.ledger.add("words", use, origin="drug", source=source, attribute="indication")

    def cost(self) -> str:
        """Tier and copay, as far as the plan states them."""
        if self.benefit is None:
            return ""
        tier, copay = self.benefit.tier, self.benefit.copay
        told = [f"tier {self.of_plan('count', tier, 'tier')}"] if tier is not None else []
        return ", ".join([*told, *([f"copay {self.of_plan('money', copay, 'copay')}"] if copay else [])])

    def lead(self, lead: Lead) -> str:
        """What a note says of an open criterion; it counts once a person has confirmed it."""
        add = partial(self.ledger.add, origin="chart", source=lead.document, attribute="note")
        shown = f"“{cut(' '.join(lead.quote.split()), LONGEST_LEAD)}”"
        quote = add("quote", lead.quote, shown=shown, on=lead.date)
        day = f" of {add('date', lead.date)}" if lead.date is not None else ""
        more = ", with what it leaves open" if lead.needs else ""
        return f"The note{day} says {quote}: confirm it with `pa confirm`{more}, and it counts."

    def alternatives(self) -> str:
        """The covered drugs that this patient meets today; nothing if there is none."""
        names = [self.drug(item.drug) for item in self.found.alternatives]
        return f"Already possible today: {listed(names, MOST_ALTERNATIVES, self)}." if names else ""

    def origin(self, record_id: str) -> Origin:
        return "supposed" if record_id.startswith(SUPPOSED) else "chart"

    def asked(self, finding: Finding, form: str = SAID) -> str:
        """What the policy asks for."""
        if finding.asks is None:
            return self._value(finding.text, finding, "policy")
        return self.told(finding.asks, finding, "policy", form)

    def told(
        self, message: Message, finding: Finding, origin: Origin, form: str = SAID, **context: Any
    ) -> str:
        """The message in words, each day, number and medicine in it as a slot.

        Args:
            message: what is told of the finding.
            finding: what it is told of.
            origin: where the message stands; a value of the chart's own records is the chart's.
            form: as for `render`.
            context: as for `render`.
        """

        def hold(rule: str, value: Any, text: str) -> str:
            return self._value(value, finding, origin, text, rule)

        return render(message, form, hold=hold, she=pronoun(self.bound.patient), **context)

    def _value(
        self, value: str | float, finding: Finding, origin: Origin, text: str = "", rule: str = ""
    ) -> str:
        """A value of a message, written as the text, as a slot; words that hold no number need none."""
        text, about = text or str(value), finding.criterion
        if SLOT.fullmatch(text):
            return text
        if not isinstance(value, str):
            kind: Kind = "value" if rule == "amount" else "count"
            test = next((item.kind for item in finding.evidence if item.kind in TESTS), about)
            return self._fact(kind, value, finding, origin, shown=text, attribute=test)
        if rule == "date":
            return self._fact("date", date.fromisoformat(value), finding, origin, attribute=about)
        if plan := self.bound.plan_names.get(text):
            source = f"plan:{text}"
            return self.ledger.add(
                "name", text, shown=plan, origin="plan", source=source, attribute="plan", aliases=(text,)
            )
        if self._is_drug(text):
            stands = origin in ("policy", "request")
            source = self._policy(finding) if origin == "policy" else f"drug:{text}"
            return self.ledger.add("drug", text, origin=origin if stands else "drug", source=source)
        if _DIGIT.search(text):
            return self._fact("words", tame(text), finding, origin, attribute="note")
        return tame(text)

    def _fact(
        self, kind: Kind, value: str | float | date, finding: Finding, origin: Origin, **details: Any
    ) -> str:
        """Enter a value of a message about the finding, with where it stands."""
        add = partial(self.ledger.add, kind, value, **details)
        records = [item.record_id for item in finding.evidence]
        if origin == "policy":
            return add(origin=origin, source=self._policy(finding))
        if origin == "plan":
            return add(origin=origin, source=f"plan:{self.found.plan_id}")
        if origin == "request":
            return add(origin=origin, source=records[0] if records else "chart")
        stored = iso(value) if isinstance(value, date) else value
        for item in finding.evidence:
            if stored in (item.value, iso(item.date)):
                on = item.date if kind == "value" else None
                return add(origin=self.origin(item.record_id), source=item.record_id, on=on)
        source = " ".join(dict.fromkeys(records[:4]))
        return add(
            origin="derived", source=source, formula=f"from {source or 'the chart'} on {self.found.as_of}"
        )

    def _policy(self, finding: Finding) -> str:
        return clause_source(finding) or self.found.policy_id or f"plan:{self.found.plan_id}"

    def _is_drug(self, name: str) -> bool:
        """Is all of it the name of a medicine, the catalog's or the terminology's?"""
        known = any(name.casefold() == drug.name.casefold() for drug in self.bound.drugs)
        return known or any((begin, end) == (0, len(name)) for begin, end, *_ in medicines_in(name))


_DIGIT, _CODE = re.compile(r"\d"), re.compile(r"[A-Z]\d")
_STATUSES: dict[Status, str] = {"met": "met", "not_met": "not met", "unknown": "open"}
_EXCLUDES: dict[Status, str] = {
    "met": "ruled out",
    "not_met": "an exclusion that applies",
    "unknown": "not ruled out",
}


def _is_diagnosis(finding: Finding) -> bool:
    return any(item.kind == "diagnosis" for item in finding.evidence)


def _is_compared(finding: Finding) -> bool:
    """Is what was found read beside what is asked for?"""
    match finding.asks.code if finding.asks is not None else "":
        case "criterion.lab":
            return any(item.kind in TESTS for item in finding.evidence)
        case "criterion.age":
            return finding.status == "not_met"
        case "criterion.program":
            return bool(finding.evidence)
    return False
