"""Why it stands as it does: criterion by criterion, or one criterion with what shows it and its clause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from agent.answers import plan, policy
from agent.answers.answer import Answer, Said, plain
from agent.answers.eligibility import of_one_drug, standing
from agent.answers.policy import printed
from agent.answers.policy.finding import named_in
from agent.answers.wording import (
    LONGEST_QUOTE,
    Sorted,
    Words,
    asks_for_all,
    clause_source,
    drugs_meant,
    finding_told,
    fitted,
    listed,
    sources,
    standing_of,
)
from agent.dialogue.query import Ask, Query
from agent.ledger import Ledger
from tools.domain.records import Determination, Finding
from tools.domain.rules import Trial
from tools.engine.documents import walk
from tools.engine.eligibility import active_coverage
from tools.queries.bound import Bound
from tools.terminology.conditions import CONCEPTS
from tools.terminology.medicines import CLASSES, medicine
from tools.terminology.observations import TESTS

MOST_LINES = 6
LONGEST_CRITERION = 1700  # characters, with the ways to meet it
MOST_WAYS = 8  # parts of a criterion that are told one by one
MOST_HELD = 2  # findings beside the clauses of a policy
BEFORE_CRITERIA = ("eligibility", "formulary", "benefit", "pa")  # what stops a case before any is judged
_ON_A_CRITERION: frozenset[Query] = frozenset(
    ("why", "criterion", "criteria", "policy", "policy_all", "step")
)


def answer(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """The first drug meant; `about` narrows it to the criterion that its words name."""
    elsewhere = None if drugs_meant(ask, bound) else _enrolled_elsewhere(bound, ledger)
    return elsewhere or _of_the_drug(ask, bound, ledger)


@of_one_drug
def _of_the_drug(ask: Ask, words: Words, reply: Answer) -> None:
    found, ledger = words.found, words.ledger
    one_of_them = ask.query == "criterion"
    if one_of_them and (about := about_criterion(ask, found)):
        reply.said = fitted(_one(words, *about, sure=_is_meant(ask, *about)), ledger, LONGEST_CRITERION)
        reply.sources = sources(about)
        return
    judged = found.stopped_by not in BEFORE_CRITERIA
    if one_of_them and ask.tests and not ask.guessed and judged:
        silent = policy.answer(replace(ask, query="policy"), words.bound, ledger)
        if not silent.sources:  # no clause is about the test that is named
            reply.said = [*silent.said, *standing(words)]
            return
    said = [Said(text=words.headline()), *_every(words)]
    if one_of_them and judged:
        reply.general = True
        named = ledger.add("words", ask.text[:80], origin="request", attribute="asked about")
        none = f"I found no single criterion that “{named}” means, so here are all of them."
        said = [*plain(none), *said]
    reply.said = fitted(said, ledger)
    met = [item for item in found.findings if item.status == "met"]
    reply.sources = sources([*Sorted.of(found).unmet, *met], 24)


def step_of(ask: Ask, others: Sequence[str], bound: Bound) -> Ask:
    """A question on a drug that the criteria of another one, which the talk or the turn is about, ask to be tried
    first, as what it then is: one on that criterion ("why need he not try Mounjaro first?")."""
    if ask.query not in _ON_A_CRITERION or len(ask.drugs) != 1 or ask.from_talk or others[:1] == ask.drugs:
        return ask
    (name,) = ask.drugs
    whose = (one for one in others if one != name and one in bound.plan.benefits)
    for drug in whose:
        tried = (entry.part for entry in printed(bound.plan.benefits[drug]) if isinstance(entry.part, Trial))
        if any(name.casefold() in map(str.casefold, trial.drugs) for trial in tried):
            return replace(ask, query="criterion", drugs=(drug,), medicines=(name,))
    return ask


def clause(ask: Ask, bound: Bound, ledger: Ledger) -> Answer:
    """What the policy says, and how this patient stands to the clauses that were quoted, or to all that is asked."""
    meant = drugs_meant(ask, bound)[:1]
    if ask.query == "renewal_rules" and meant and meant[0] in bound.plan.benefits:
        use = ask.indication or bound.determination(meant[0]).indication  # the one that is being treated
        ask = replace(ask, indication=use)
    reply = policy.answer(ask, bound, ledger)
    drug = reply.drugs[0] if reply.drugs else ""
    if drug not in bound.plan.benefits or not reply.sources:
        return reply
    policy_id = bound.plan.benefits[drug].policy_id
    quoted = {source.source.removeprefix(f"{policy_id} ") for source in reply.sources}
    found = bound.determination(drug, ask.indication)
    words = Words(bound, ledger, found)
    if ask.query in ("policy_all", "renewal_rules"):
        reply.said += standing(words)
        return reply
    pairs = _parts(found)
    held = [(top, part) for top, part in pairs if part.clause and part.clause.clause_id in quoted]
    if held:
        reply.said += plain("For this patient:")
        for top, part in held[:MOST_HELD]:
            whole = [finding_told(words, top)] if top.status != part.status else []  # met in another way, say
            reply.said += [one for one in (*whole, finding_told(words, part)) if one not in reply.said]
        reply.determinations.append(found)
    return reply


def _enrolled_elsewhere(bound: Bound, ledger: Ledger) -> Answer | None:
    """Whatever the drug: the patient is not in this plan."""
    if active_coverage(bound.patient, bound.plan.id, bound.as_of) is not None:
        return None
    return plan.answer(Ask(query="enrolment"), bound, ledger)


def about_criterion(ask: Ask, found: Determination) -> tuple[Finding, Finding] | None:
    """The top criterion and the part of it that the query names: by what it names that is known, else, or where that is
    not likely and another surely is, the one that the turn means; nothing if none is likely."""
    pairs = _parts(found)
    numbers = named_in(ask.text, [part.clause.clause_id for _, part in pairs if part.clause])
    for top, part in pairs:
        if part.clause and part.clause.clause_id in numbers:
            return top, part
    # that the drug asked for is named tells nothing of which criterion is meant
    others = tuple(name for name in ask.medicines if name.casefold() != found.drug.casefold())
    named = _criterion_named(replace(ask, medicines=others), pairs)
    if named and not (ask.surely and _ref(named[1]) not in ask.criteria):
        return named
    return next((pair for pair in pairs if _ref(pair[1]) in ask.criteria[:1]), None)


def _ref(part: Finding) -> str:
    return part.clause.clause_id if part.clause else part.criterion


def _parts(found: Determination) -> list[tuple[Finding, Finding]]:
    """Each criterion with each part of it, and with itself."""
    return [(top, part) for top in found.findings for part in walk([top])]


def _criterion_named(ask: Ask, pairs: Sequence[tuple[Finding, Finding]]) -> tuple[Finding, Finding] | None:
    """The one that most of the things that the query names are in."""
    named = [(_named(ask, part), part.status == top.status, top.status != "met") for top, part in pairs]
    at = max(range(len(pairs)), key=named.__getitem__, default=None)
    return pairs[at] if at is not None and named[at][0] > 0 else None


def _named(ask: Ask, finding: Finding) -> int:
    """How many of the things that the query names the finding is about; a part counts before the whole of it."""
    if finding.parts:
        return 0
    asks = finding.asks.params if finding.asks is not None else {}
    own = {finding.criterion, *map(str, asks.values()), *(item.kind for item in finding.evidence)}
    own |= {str(item.value).casefold() for item in finding.evidence if item.value}
    text = finding.text.casefold()
    score = 2 * len(own & {*ask.tests, *ask.conditions})
    score += sum(TESTS[test].name.casefold() in text for test in ask.tests)
    score += sum(CONCEPTS[key].label.casefold() in text for key in ask.conditions if key in CONCEPTS)
    return score + max((_of_medicine(name, own, text) for name in ask.medicines), default=0)


def _of_medicine(name: str, own: set[str], text: str) -> int:
    """How nearly a finding is about a medicine: by its name, by what it is made of, by its class, or not at all."""
    known = medicine(name)
    if name.casefold() in text:
        return 3
    if any(ingredient in text for ingredient in known.ingredients):
        return 2
    return int(any(key in own or _bare(CLASSES[key]) in text for key in known.classes if key in CLASSES))


def _bare(label: str) -> str:
    """The label of a class without its article."""
    return label.removeprefix("an ").removeprefix("a ").casefold()


def _is_meant(ask: Ask, top: Finding, part: Finding) -> bool:
    """Whether it is what the turn likely speaks of, so that yes or no to it answers the turn."""
    return _ref(top) in ask.criteria or _ref(part) in ask.criteria


def _one(words: Words, top: Finding, part: Finding, *, sure: bool) -> list[Said]:
    """One criterion: its status, what shows it, what would change it, and the clause."""
    named = words.named(top)
    shown = words.against(part) if part.status == top.status or not top.parts else words.against(top)
    text = f"For {words.drug()} under {words.plan()}, {named} is {words.status(top)}: {shown}."
    said = [Said(text=text, standing=standing_of(top) if sure and part.status == top.status else "")]
    if part.status != top.status:
        itself = f"By itself, {words.named(part)} is {words.status(part)}: {words.shown(part)}."
        said.append(Said(text=itself, must=False))
    if step := words.step(top):
        said.append(Said(text=f"{step}."))
    cited = top if part.clause is None else part
    if cited.clause is not None and cited.clause.quote and len(cited.clause.quote) <= LONGEST_QUOTE:
        quote = cited.clause.quote
        add = partial(words.ledger.add, origin="policy", source=clause_source(cited), attribute="clause")
        quoted, number = add("quote", quote, shown=f"“{quote}”"), add("code", cited.clause.clause_id)
        said += plain(f"The policy says in clause {number}: {quoted}")
    beside = [replace(one, must=False) for one in standing(words)]  # goes first where room lacks
    return said + ways(words, top, part) + beside


def ways(words: Words, top: Finding, part: Finding) -> list[Said]:
    """How a criterion can be met that has several parts, each as it stands: of the innermost choice that the part is
    in, or of all that the criterion asks for."""
    whole = _choice_around(top, part) or (top if top.parts else None)
    if whole is None:
        return []
    cited = f" ({words.clause(whole)})" if whole.clause else ""
    head = f"{words.status(whole, capital=True)}: {words.named(whole)}{cited}"
    alike = part.status == whole.status
    told = [
        Said(text=f"{head}; {_enough(words, whole)}:", standing=standing_of(whole) if alike else ""),
        *(_way(words, one) for one in whole.parts[:MOST_WAYS]),
    ]
    return [replace(one, must=False) for one in told]


def _choice_around(finding: Finding, part: Finding) -> Finding | None:
    """The innermost finding that holds the part, or is it, and is met by some of its own."""
    inner = next((one for child in finding.parts if (one := _choice_around(child, part))), None)
    if inner is not None:
        return inner
    holds = part == finding or part in walk(finding.parts)
    return finding if holds and finding.parts and not asks_for_all(finding) else None


def _enough(words: Words, finding: Finding) -> str:
    """How many of its parts must be met."""
    if asks_for_all(finding):
        return "all of these are asked for"
    if finding.needed == 1:
        return "one of these is enough"
    return f"{words.count(finding.needed, 'needed')} of these are enough"


def _way(words: Words, finding: Finding) -> Said:
    """A part as it stands; one that has parts itself says which, in the same line."""
    if not finding.parts:
        return finding_told(words, finding)
    clause = f" ({words.clause(finding)})" if finding.clause else ""
    head = f"{words.status(finding, capital=True)}: {words.named(finding)}{clause}"
    return Said(text=f"{head}, for which {_within(words, finding)}.", bullet=True)


def _within(words: Words, finding: Finding) -> str:
    parts = (
        f"[{_within(words, one)}] ({words.status(one)})"
        if one.parts
        else f"{words.named(one)} ({words.status(one)})"
        for one in finding.parts
    )
    return f"{_enough(words, finding)}: {'; '.join(parts)}"


def _every(words: Words) -> list[Said]:
    """A line for each criterion that keeps it open, then those that are met, then exclusions and papers."""
    kinds = Sorted.of(words.found)
    said = [finding_told(words, finding) for finding in kinds.unmet[:MOST_LINES]]
    if len(kinds.unmet) > MOST_LINES:
        said.append(_names("Also open", kinds.unmet[MOST_LINES:], words))
    met = [finding for finding in kinds.criteria if finding.status == "met"]
    room = max(0, MOST_LINES - len(said))
    said += [finding_told(words, finding) for finding in met[:room]]
    if met[room:]:
        said.append(_names("Met as well", met[room:], words))
    clear = [finding for finding in kinds.exclusions if finding.status == "met"]
    if clear:
        count = words.count(len(clear), "exclusions ruled out")
        plural = "exclusion" if len(clear) == 1 else "exclusions"
        said.append(Said(text=f"Ruled out: {count} {plural}.", bullet=True, must=False))
    return said


def _names(head: str, findings: Iterable[Finding], words: Words) -> Said:
    return Said(
        text=f"{head}: {listed([words.named(item) for item in findings], 6, words)}.", bullet=True, must=False
    )
