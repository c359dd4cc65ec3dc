"""What a case that lacks documentation waits for: the single things of which any one would make it ready.

A need is not an open criterion. One new HbA1c may answer a criterion of seven drugs and be the report that they want
attached; a medication list that was never taken answers every question about what was tried. So each open question
and each paper that is not on file names its need, and whether one need is enough is put to the engine: with these
questions answered in the patient's favour, is the case ready?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from tools.domain.records import Plan
from tools.domain.rules import Attested, Change, Condition, Lab, Measured, Required, Rule, Trial
from tools.engine.criteria import CompiledCriterion, Question, compiled_criteria
from tools.engine.determine import Ruled
from tools.engine.documents import asked_for, is_on_file
from tools.engine.label import is_label_dose
from tools.engine.verdict import Verdict, settle
from tools.evidence.context import STATUS_ONLY, EvaluationContext, LeafResult
from tools.messages import render, term
from tools.terminology.observations import TESTS
from tools.terminology.terms import TOPICS


class Need(NamedTuple):
    """One thing to bring: `lab` a new measurement, `statement` the prescriber's word on a topic, `list` one that
    was never recorded, `fills` pharmacy claims, `document` a paper, `record` something that only has to be found
    or written down, `order` another dose or the prescriber's word that this one is meant. `what` is the test, topic
    or list, or says it in words."""

    kind: str
    what: str

    @property
    def key(self) -> str:
        """As it stands in a table: "lab:hba1c"."""
        return f"{self.kind}:{self.what}"


# Looking something up comes before measuring, and measuring before asking the prescriber.
_ORDER = ("list", "record", "fills", "document", "lab", "statement", "order")


def told(key: str) -> str:
    """A need's key in words: "a new HbA1c"."""
    kind, _, what = key.partition(":")
    if kind == "lab":
        tests = [TESTS[test].name if test in TESTS else test for test in what.split("+")]
        return f"a new {' and '.join(tests)}"
    if kind == "statement":
        return f"the prescriber's statement: {TOPICS.get(what, what.replace('_', ' '))}"
    if kind == "list":
        return f"the {what}"
    if kind == "order":
        return f"the prescriber's word on the {what}"
    if kind == "fills":
        return f"pharmacy fills of {what}"
    return what


def single_needs(case: Verdict, plan: Plan) -> tuple[Need, ...]:
    """The things of which any one alone would make the case ready, what is easiest first."""
    rule, context = case.rule, case.context
    if case.outcome != "needs_documentation" or rule is None or context is None:
        return ()
    if not is_label_dose(context.request):
        return (Need("order", "dose"),) if _is_ready_at_another_dose(rule, context, plan) else ()
    waiting = _questions(rule, context)
    if waiting is None:
        return ()
    papers = _papers(rule, context)
    wanted = dict.fromkeys([*waiting, *papers])
    enough = [
        need
        for need in wanted
        if _makes_ready(rule, context, plan, waiting.get(need, ()), papers.get(need, ()))
    ]
    return tuple(sorted(enough, key=lambda need: (_ORDER.index(need.kind), need.what)))


def _is_ready_at_another_dose(rule: Rule, context: EvaluationContext, plan: Plan) -> bool:
    asked = msgspec.structs.replace(context.request, label=())
    other = EvaluationContext(
        context.patient, asked, context.as_of, context.therapy_start, context.policy_id, status_only=True
    )
    return settle(Ruled(rule, other), plan).outcome == "ready"


def _makes_ready(
    rule: Rule,
    context: EvaluationContext,
    plan: Plan,
    questions: Iterable[Question],
    papers: Iterable[Required],
) -> bool:
    answers: dict[object, LeafResult] = {
        question: STATUS_ONLY[not question.exclude] for question in questions
    }
    answers.update({asked_for(paper): STATUS_ONLY[True] for paper in papers})
    return settle(Ruled(rule, context.with_answers(answers)), plan).outcome == "ready"


def _questions(rule: Rule, context: EvaluationContext) -> dict[Need, list[Question]] | None:
    """The open questions by need; None if no one need stands in every open criterion."""
    criteria, exclusions = compiled_criteria(rule, context.request)
    found: dict[Need, list[Question]] = {}
    common: set[Need] | None = None
    for compiled in (*criteria, *exclusions):
        if compiled.status(context) != "unknown":
            continue
        here = set()
        for question in _open(compiled, context):
            need = _need(question, context)
            here.add(need)
            found.setdefault(need, []).append(question)
        common = here if common is None else common & here
        if not common:
            return None
    return found if common is None else {need: found[need] for need in found if need in common}


def _open(compiled: CompiledCriterion, context: EvaluationContext) -> Iterator[Question]:
    """The unknown leaves of an unknown node that are not under a settled one."""
    if not compiled.children:
        if compiled.question is not None:
            yield compiled.question
        return
    for child in compiled.children:
        if child.status(context) == "unknown":
            yield from _open(child, context)


def _papers(rule: Rule, context: EvaluationContext) -> dict[Need, list[Required]]:
    """The rule's papers that the chart does not have, by need."""
    found: dict[Need, list[Required]] = {}
    for paper in rule.documents:
        if not is_on_file(paper, context):
            found.setdefault(_paper(paper), []).append(paper)
    return found


def _paper(paper: Required) -> Need:
    if paper.of == "lab":
        return Need("lab", paper.test)
    if paper.of == "fills":
        return Need("fills", ", ".join(paper.drugs))
    return Need("document", paper.text or paper.id)


def _need(question: Question, context: EvaluationContext) -> Need:
    leaf = question.leaf
    if isinstance(leaf, Lab | Measured | Change):
        tests = _tests(leaf, context)
        if tests:
            return Need("lab", "+".join(tests))
    elif isinstance(leaf, Attested):
        return Need("statement", leaf.topic)
    found = _found(question, context)
    if isinstance(leaf, Condition):
        silent = question.exclude and leaf.evidence == "attestation"
        # What is recorded and denied is not settled by denying it once more.
        if found.reason not in ("conflict", "contradicted") and (
            context.patient.conditions is not None or silent
        ):
            return Need("statement", leaf.topic or leaf.label)
    step = found.action
    if step is None:
        return Need("record", "")
    if step.code in ("obtain_history", "obtain_list"):
        return Need("list", term(str(step.params.get("list", "medications"))))
    lacks_fills = step.params.get("missing") in (("missing.fills",), ("missing.more_fills",))
    if isinstance(leaf, Trial) and leaf.wants_fills and lacks_fills:
        return Need("fills", ", ".join(leaf.drugs))
    return Need("record", render(step))


def _tests(leaf: Lab | Measured | Change, context: EvaluationContext) -> Sequence[str]:
    """What would have to be measured anew; nothing where only an old value can help, which has to be found."""
    start = context.therapy_start
    if isinstance(leaf, Change) and leaf.since == "renewal":
        start = context.request.approvals[-1] if context.request.approvals else None
    if isinstance(leaf, Lab):
        return () if leaf.at == "baseline" and start is not None else (leaf.test,)
    if isinstance(leaf, Change):
        known = start is not None and any(value.date <= start for value in context.values(leaf.test).usable)
        return (leaf.test,) if known else ()
    first = context.first(leaf.within)
    return [
        test for test in leaf.tests if not (usable := context.values(test).usable) or usable[0].date < first
    ]


def _found(question: Question, context: EvaluationContext) -> LeafResult:
    """The answer as the finding would tell it."""
    whole = EvaluationContext(
        context.patient, context.request, context.as_of, context.therapy_start, context.policy_id
    )
    return question.ask(whole)
