"""What of chart, plan and policy a turn asks for and its answer leaves out, told beside or instead of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from agent.answers import registry, relevance
from agent.answers.answer import Answer, Said
from agent.answers.chart import notes, supply
from agent.answers.chart.page import Page, capitalised
from agent.answers.passages import Kind, Passage, passages, texts
from agent.answers.why import ways
from agent.answers.wording import Words, finding_told, labeled_use, standing_of
from agent.dialogue.query import DECISIONS, QUERIES, Ask, Intent, Query
from agent.dialogue.turns import Question
from agent.ledger import Ledger
from tools.common.errors import Correctable
from tools.domain.records import Determination, Finding
from tools.engine.documents import walk
from tools.queries.bound import Bound

FAINTLY = 0.15  # that a right answer states it, from which a passage is told where nothing else can be
LIKELY = 0.25  # that a right answer states it, from which a passage is told
SURELY = 0.5  # the same, from which it may stand for an answer
HARDLY = 0.1  # the same, below which an answer is left out beside one that is surely asked for
DOUBTFUL = 0.3  # likelihood of an answer's query, below which such a passage stands for the answer
MOST = 5
MOST_DRUGS = 2
_OF_A_CRITERION: tuple[Query, ...] = ("criterion", "policy")
_LONG: tuple[Query, ...] = ("formulary", "options", "summary")  # answers of many lines
_BARE: frozenset[Kind] = frozenset(
    ("diagnosis", "course", "fill", "order", "allergy", "relative", "document", "statement", "authorization")
)  # kinds whose words do not say what kind of thing it is
_SERVING: frozenset[Kind] = frozenset(("diagnosis", "course", "allergy", "program", "statement"))
_OF_A_POLICY: frozenset[Kind] = frozenset(("finding", "clause"))
_OPEN: frozenset[Query] = frozenset(("missing", "criteria"))
_TELLS_OPEN: frozenset[Query] = _OPEN | {"what_if"}
_TABLE: frozenset[Query] = frozenset(("coverage", "formulary", "tier", "copay", "limit", "pa_required"))
# Decisions of a drug, and those of the same drug that tell as much.
_TOLD_BY: tuple[tuple[Container[Query], frozenset[Query]], ...] = (
    (_OPEN, _TELLS_OPEN),
    (DECISIONS, DECISIONS),
    (_TABLE, _TABLE | {"compare"}),
)
# Of a drug without a policy there is nothing to tell of these.
_OF_ITS_POLICY: frozenset[Query] = frozenset(
    ("attach", "earliest", "approval_length", "lookback", "renewal_rules")
)
_TELLING = ("value", "quote", "date")  # kinds of facts by which a passage is known to have been told
_INTENTS: frozenset[Intent] = frozenset((
    "eligibility", "missing", "why", "compare", "what_if", "policy", "chart", "plan", "dates", "cases", "unclear",
    "advice", "dosing", "fabricate",
))  # fmt: skip


class Focus(NamedTuple):
    """The answers with what they left out, and the keys of the passages that the turn asks for."""

    answers: list[Answer]
    shown: tuple[str, ...] = ()


def with_passages(
    question: Question,
    asks: Sequence[Ask],
    answers: Sequence[Answer],
    about: Sequence[str],
    bound: Bound,
    ledger: Ledger,
) -> Focus:
    """The answers, and the likeliest passages that they do not tell; those stand for an answer that is general.

    Args:
        question: what was typed now and before.
        asks: what is answered of it.
        answers: the answers to it.
        about: the drugs that the turn may be about, the likeliest first.
        bound: the chart and the plan that they are about.
        ledger: the facts of the answers, to which those of the passages are added.
    """
    lost, answers = [one for one in answers if one.lost], [one for one in answers if not one.lost]
    asked = any(ask.intent in _INTENTS or ask.query == "message" for ask in asks) or (lost and not answers)
    if not asked or not any(map(str.isalnum, question.text)):
        return Focus([*answers, *lost])
    use = next((ask.indication for ask in asks if ask.indication), "")
    found = [
        one
        for one in passages(bound, _drugs(about, asks, answers, bound), use)
        if one.ref not in _OF_ITS_POLICY or bound.policy(one.drug) is not None
    ]
    if any(one.hypothetical for one in answers):  # as the case really stands is not what is asked
        found = [one for one in found if one.kind not in ("finding", "answer")]
    likely = relevance.likelihoods(question, relevance.pool_of(found, texts(found, bound)))
    ranked = sorted(zip(likely, found, strict=True), key=lambda one: -one[0])
    least = LIKELY if answers else FAINTLY  # rather than to ask back alone
    nearest = ranked[:MOST]
    wanted = [(share, one) for share, one in nearest if share >= (SURELY if one.ref in _LONG else least)]
    wanted = _values_together(wanted)
    if not wanted:
        return Focus([*answers] or lost)
    best, keys = ranked[0][0], tuple(passage.key for _, passage in wanted)
    several = len({answer.query for answer in answers}) > 1
    judged = any(passage.kind in _OF_A_POLICY for _, passage in wanted)
    told_alone = _without_rivals(answers, ranked)
    particular = [one for one in told_alone if not _gives_way(one, best, several, judged)]
    composer = _Composer(asks, particular, bound, ledger, use)
    composer.judged = [one.what for one in found if one.kind == "finding"]
    told = composer.tell([passage for _, passage in wanted])
    if best < SURELY:
        told.said = [replace(one, standing="") for one in told.said]
    # a follow-up leans on them, whatever gave way
    told.drugs = tuple(drug for one in answers for drug in one.drugs)
    before = {one.text for answer in particular for one in answer.said}
    told.said = [one for one in told.said if one.text not in before]
    told.yes = asks[0].yes if len({ask.yes for ask in asks}) == 1 else ""
    made = [one for one in (*particular, told) if one.said] or [*answers]
    return Focus([*made, *(one for one in lost if one.offered or not made)], keys)


def _values_together(wanted: Sequence[tuple[float, Passage]]) -> list[tuple[float, Passage]]:
    """Of a test of which several results are surely asked for, all that are wanted, the newest first."""
    several = Counter(one.what[0] for share, one in wanted if one.kind == "value" and share >= SURELY)
    made: list[tuple[float, Passage]] = []
    for share, one in wanted:
        if one.kind != "value" or several[one.what[0]] < 2:
            made.append((share, one))
        elif (share, one) not in made:
            same = [two for two in wanted if two[1].kind == "value" and two[1].what[0] == one.what[0]]
            made += sorted(same, key=lambda two: two[1].what[1].date, reverse=True)
    return made


def criteria_meant(question: Question, drug: str, use: str, bound: Bound) -> list[tuple[float, str]]:
    """The criteria, or parts of one, that a turn likely speaks of: how likely, and the clause, or else the name; the
    likeliest first.

    Args:
        question: what was typed now and before.
        drug: one that the plan lists.
        use: for which it is judged, or none.
        bound: the chart and the plan.
    """
    found = passages(bound, (drug,), use)
    likely = relevance.likelihoods(question, relevance.pool_of(found, texts(found, bound)))
    pairs = ((share, one.ref) for share, one in zip(likely, found, strict=True) if one.kind == "finding")
    return sorted((pair for pair in pairs if pair[0] >= LIKELY), reverse=True)


def open_ones(
    question: Question, drug: str, use: str, bound: Bound, *, named: bool = False
) -> tuple[str, ...]:
    """The criteria of a drug that are not met and that a turn speaks of, else those that were told before, else all:
    what a message is about, and what a supposition may settle that cannot be put into the chart.

    Args:
        question: what was typed now and before.
        drug: one that the plan lists.
        use: for which it is judged, or none.
        bound: the chart and the plan.
        named: whether the turn names what it speaks of, so that it is of no other criterion.
    """
    found = passages(bound, (drug,), use)
    likely = relevance.likelihoods(question, relevance.pool_of(found, texts(found, bound)))
    unmet = bound.determination(drug, labeled_use(drug, use, bound)).findings

    def those(meant: Callable[[float, Passage], bool]) -> tuple[str, ...]:
        pairs = zip(likely, found, strict=True)
        parts = [one.what[1] for share, one in pairs if one.kind == "finding" and meant(share, one)]
        tops = (top for top in unmet if top.status != "met" and any(one in parts for one in walk([top])))
        return tuple(top.criterion for top in tops)

    surely = those(lambda share, one: share >= SURELY)
    if surely or named:
        return surely
    return those(lambda share, one: one.key in question.shown) or those(lambda share, one: True)


def _without_rivals(answers: Sequence[Answer], ranked: Sequence[tuple[float, Passage]]) -> list[Answer]:
    """The answers but for those that are hardly asked for beside a whole answer that surely is: passages were learned
    from whole turns, and the reading from spans."""
    likely = {(one.ref, one.drug): likelihood for likelihood, one in ranked if one.kind == "answer"}
    told = {one.query for one in answers}
    if not any(likelihood >= SURELY and ref not in told for (ref, _), likelihood in likely.items()):
        return [*answers]

    def hardly(answer: Answer) -> bool:
        own = [likely[key] for drug in ("", *answer.drugs) if (key := (answer.query, drug)) in likely]
        decides = bool(answer.determinations) or answer.surely_refused or answer.hypothetical
        return bool(own) and max(own) < HARDLY and not decides

    return [one for one in answers if not hardly(one)]


def _gives_way(answer: Answer, best: float, several: bool, judged: bool) -> bool:
    """Whether passages, the likeliest of which is so likely, stand for an answer; not for one of several, since they
    may be of what the others ask. `judged` says that findings or clauses are among them."""
    if best < LIKELY or answer.refused or answer.hypothetical or {*answer.offered} & {*QUERIES}:
        return False  # a choice between readings stays behind what is told
    if best < SURELY:
        return answer.general and answer.query in _OF_A_CRITERION
    if answer.general:
        return judged or not several or answer.query not in _OF_A_CRITERION
    return bool(answer.offered) or (answer.sure < DOUBTFUL and not several)


class _Composer:
    """Tells passages beside the answers of a turn, and knows what was told, so that nothing is told twice."""

    def __init__(
        self, asks: Sequence[Ask], particular: Sequence[Answer], bound: Bound, ledger: Ledger, use: str
    ) -> None:
        self.bound, self.ledger, self.use = bound, ledger, use
        said = [line.text for one in particular for line in one.said]
        told = {one.query for one in particular}  # and not what was asked back about
        decided = [found.drug for one in particular for found in one.determinations]
        self.queries = [(ask.query, ask.drugs) for ask in asks if ask.query in told]
        self.queries += [("eligible", (drug,)) for drug in decided]
        self.decided = {*decided} if any(ask.query == "missing" for ask in asks) else set[str]()
        self.findings: list[Finding] = []
        self.judged: list[tuple[Determination, Finding]] = []  # of the drugs that the turn is about
        self.lines = {*map(ledger.render, said)}
        self.facts = self._facts(*said)

    def _facts(self, *texts: str) -> set[str]:
        return {fact.id for text in texts for fact in self.ledger.used(text)}

    def tell(self, wanted: Sequence[Passage]) -> Answer:
        """Those of the passages that were not said, a line each."""
        reply = Answer(ledger=self.ledger)
        page = Page(Ask(query="summary"), self.bound, self.ledger, reply)
        open_ones: list[tuple[Determination, Finding]] = []
        for passage in wanted:
            if passage.kind == "answer":
                self._answer(passage, reply)
            elif not (passage.kind == "finding" and self._is_known(passage)):
                text, around = passage.tell(page), list[Said]()
                if passage.kind == "finding":
                    open_ones += [passage.what] if passage.what[1].status != "met" else []
                    around = self._around(*passage.what)
                if around:
                    reply.said += around
                    self.facts |= self._facts(*(line.text for line in around))
                elif not self._holds(text):
                    lead = f"{capitalised(passage.where)}: " if passage.kind in _BARE else ""
                    page.say(f"{lead}{text}", bullet=True)
                    if passage.kind == "finding":
                        reply.said[-1] = replace(reply.said[-1], standing=standing_of(passage.what[1]))
                    self.facts |= self._facts(text)
                    reply.said += self._serving(passage, page)
                    if passage.kind == "note" and notes.reports_a_value(page, passage.what[1]):
                        page.say(notes.ONLY_TOLD, bullet=True)
        supply.say_gaps(page, [one.what for one in wanted if one.kind == "fill" and one.what.days_supply])
        for found, finding in open_ones:
            words = Words(self.bound, self.ledger, found)
            if (finding.exclusion or words.actor(finding) == "prescriber") and (settles := words.settles()):
                reply.said.append(Said(text=settles))
                break
        return reply

    def _serving(self, passage: Passage, page: Page) -> list[Said]:
        """Of a record that was told: the criterion that it is evidence of, as it stands."""
        of_it = ((found, one) for found, one in self.judged if not one.parts and one.kind == "criterion")
        for found, finding in of_it if passage.kind in _SERVING else ():
            if any(item.record_id == passage.ref for item in finding.evidence):
                around = self._around(found, finding)
                told = finding_told(Words(self.bound, self.ledger, found), finding)
                return around or ([] if self._holds(told.text) else [told])
        return []

    def _around(self, found: Determination, finding: Finding) -> list[Said]:
        """How a criterion of several parts stands with all of them, for it or one of them; nothing twice."""
        top = next((one for one in found.findings if one.parts and finding in walk([one])), None)
        told = ways(Words(self.bound, self.ledger, found), top, finding) if top is not None else []
        if not told or self.ledger.render(told[0].text) in self.lines:
            return []
        self.lines.add(self.ledger.render(told[0].text))
        return told

    def _answer(self, passage: Passage, reply: Answer) -> None:
        """A whole answer, unless one to the query was given, or one that tells as much."""
        same = next((told_by for refs, told_by in _TOLD_BY if passage.ref in refs), {passage.ref})
        told = (one for one, drugs in self.queries if not (passage.drug and drugs) or passage.drug in drugs)
        if same & {*told}:
            return
        drugs = (passage.drug,) if passage.drug else ()
        use = labeled_use(passage.drug, self.use, self.bound) if passage.drug else ""
        ask = Ask(query=passage.what, drugs=drugs, indication=use)
        try:
            answer = registry.answer(ask, self.bound, self.ledger)
        except Correctable:  # it cannot be answered of this chart, and nobody asked for it by itself
            return
        self.queries.append((passage.what, drugs))
        reply.said += [one for one in answer.said if one.must]
        reply.sources += answer.sources
        reply.determinations += answer.determinations

    def _is_known(self, passage: Passage) -> bool:
        """Whether a decision told it as open, or a criterion that stands alike was told of which this is a part or that
        is a part of this."""
        finding = passage.what[1]
        held = (passage.drug in self.decided and finding.status != "met") or any(
            one.status == finding.status and (finding in walk([one]) or one in walk([finding]))
            for one in self.findings
        )
        self.findings.append(finding)
        return held

    def _holds(self, text: str) -> bool:
        """Whether what is particular to a passage was told: its values, quotes and dates."""
        own = self.ledger.used(text)
        return ({fact.id for fact in own if fact.kind in _TELLING} or {fact.id for fact in own}) <= self.facts


def _drugs(about: Sequence[str], asks: Sequence[Ask], answers: Sequence[Answer], bound: Bound) -> list[str]:
    """The drugs that the turn is likely about, and those that it asks for."""
    asked = [drug for ask in asks if not ask.from_talk for drug in ask.drugs]
    talked = [drug for answer in answers for drug in answer.drugs]
    ordered = [order.drug for order in bound.patient.orders][:1]
    drugs = (*about[:MOST_DRUGS], *asked) or talked or ordered
    return [drug for drug in dict.fromkeys(drugs) if drug in bound.benefits][:MOST_DRUGS]
