"""Codes, names, citations, conditions, determination words and statuses against the ledger."""

from __future__ import annotations

import re

from agent.claims import stance
from agent.claims.attributes import Condition, conditions
from agent.claims.codes import Code, normal
from agent.claims.names import COMMON, MEDICAL, ORGANISED, SOCIETIES, Citation, Name
from agent.claims.sentence import Sentence
from agent.ledger import Fact
from tools.terminology.conditions import CONCEPTS

RELATION = re.compile(
    r"\b(mother|father|sister|brother|aunt|uncle|grandmother|grandfather|son|daughter|cousin|parents?)\b",
    re.IGNORECASE,
)
SEXED = re.compile(
    r"(?:\byear[- ]old|\byo|\by/o|\byears\s+old|\d{2})\s+(?:\w+\s+){0,2}?(man|woman|male|female"
    r"|gentleman|lady|[MF])\b|^(?:mr|mrs|ms)\b",
    re.IGNORECASE,
)
FEMALE = frozenset(("woman", "female", "lady", "f"))
PROGRAM = re.compile(
    r"\b(?:lifestyle|diet(?:\s+and\s+exercise)?|weight[- ](?:loss|management)|exercise)\s+program(?:me)?\b",
    re.IGNORECASE,
)
ATTENDED = re.compile(
    r"\b(?:completed?|finished|attend(?:s|ed)|enroll?ed|participat\w+|began|started|took\s+part"
    r"|joined|has\s+done|went\s+through)\b",
    re.IGNORECASE,
)
NO_ALLERGY = re.compile(
    r"\b(?:no\s+(?:known\s+)?(?:drug\s+)?allerg(?:ies|y)(?!\s+to)|nkda|nka)\b", re.IGNORECASE
)
LINKED = re.compile(r"[^;.]{0,4}(?:,|\band\b|\bor\b|/)[^;.]{0,6}")
FAVOURABLE = {"ready", "not_required"}


class Words:
    """Everything of one sentence that is neither a number, a day nor a course."""

    def __init__(self, s: Sentence) -> None:
        self.s, self.index = s, s.index

    def check(self) -> None:
        for code in self.s.codes:
            self._code(code)
        for cited in self.s.citations:
            self._citation(cited)
        for name in self.s.names:
            self._name(name)
        for condition in self.s.conditions:
            self._condition(condition)
        for verdict in self.s.verdicts:
            self._verdict(verdict)
        self._states()
        self._sex()
        self._programs()
        if self.index.allergies and (found := NO_ALLERGY.search(self.s.text)):
            self.s.wrong("negation", found.start(), found.end(), "the allergy list is not empty")

    # --- codes ------------------------------------------------------------------------------------------------

    def _code(self, code: Code) -> None:
        s = self.s
        fact = self.index.codes.get(code.value) or self.index.codes.get(normal(code.value, "clause"))
        if fact is None and code.system == "icd10":
            fact = next(
                (
                    f
                    for key, f in self.index.codes.items()
                    if key.startswith(f"{code.value}.") and s.around(code.start).policy
                ),
                None,
            )
        if fact is None and code.system == "clause":
            bare = normal(code.value, "clause").strip("()")
            fact = next((f for key, f in self.index.codes.items() if key.strip("()") == bare), None)
        if fact is None:
            if code.system == "clause" and self._is_number(code):
                return
            what = {
                "icd10": "ICD-10-CM code",
                "clause": "clause",
                "phone": "telephone number",
                "ndc": "NDC",
            }.get(code.system, "code")
            s.wrong(
                "code",
                code.start,
                code.end,
                f"{what} {code.value} is not in the chart, the plan or the policy",
            )
            return
        part = s.around(code.start)
        if code.system == "icd10":
            if fact.origin in ("policy", "drug") or (
                fact.kind in ("quote", "words") and fact.attribute != "diagnosis"
            ):
                charted = any(d.code.startswith(code.value) for d in self.index.diagnoses)
                if not charted and not (
                    (part.policy and not part.patient) or part.general or part.unsure or s.supposed
                ):
                    s.wrong(
                        "code", code.start, code.end, f"{code.value} stands in the policy, not in the chart"
                    )
                    return
            self._of_its_name(code)
        elif code.system in ("number", "phone", "id"):
            self._of_its_label(code, fact)
        s.support(fact.id)

    def _is_number(self, code: Code) -> bool:
        return bool(re.fullmatch(r"\d+(?:\.\d+)?", code.value))

    def _of_its_name(self, code: Code) -> None:
        """ "NAME (CODE)": the name that stands before a code must be that code's."""
        own = next((d for d in self.index.diagnoses if d.code == code.value), None)
        if own is None:
            return
        before = self.s.low[max(0, code.start - 80) : code.start]
        before = re.split(r"[;,)]|\.\s|\band\b|\bwith\b(?=.*\bwith\b)", before.rstrip(" (,:[-"))[-1]
        said = {c.key for c in conditions(before)}
        words = set(re.findall(r"[a-z]{4,}", before))
        if (
            not words
            or words & own.words
            or said & own.keys
            or (said & {"diabetes"} and own.keys & {"t2dm", "t1dm"})
        ):
            return
        other = next(
            (
                d
                for d in self.index.diagnoses
                if d.code != code.value and (len(words & d.words) > 1 or said & d.keys)
            ),
            None,
        )
        if other is not None or (said and not said & own.keys):
            self.s.wrong("attribute", code.start, code.end, f"{code.value} is {own.name}")

    def _of_its_label(self, code: Code, fact: Fact) -> None:
        """ "NPI", "member ID", "fax" before a number say which one it is."""
        before = self.s.low[max(0, code.start - 26) : code.start]
        for words, wanted in (
            (r"\bnpi\W*(?:number|no)?\W*$", ("npi",)), (r"\bmember(?:ship)?\s*(?:id|number|no|#)?\W*$", ("member",)),
            (r"\bfax(?:\s+(?:it\s+)?to|\s+at)?\W*$", ("fax",)), (r"\bgroup\W*$", ("group",)),
        ):  # fmt: skip
            mine = [f for f in self.index.facts if f.kind == "code" and f.attribute in wanted]
            if (
                re.search(words, before)
                and mine
                and fact.attribute not in wanted
                and not any(
                    normal(str(f.value), code.system) == normal(code.value, code.system) for f in mine
                )
            ):
                self.s.wrong(
                    "attribute",
                    code.start,
                    code.end,
                    f"that is the {fact.attribute} of the record, not its {wanted[0]}",
                )

    # --- citations and names --------------------------------------------------------------------------------

    def _citation(self, cited: Citation) -> None:
        s = self.s
        for source, text in self.index.cited:
            if self._cites(cited, text):
                s.support(next(f.id for f in self.index.facts if f.source == source))
                return
        if (
            cited.kind == "society"
            and any(re.search(SOCIETIES[cited.value], q, re.IGNORECASE) for q, _ in self.index.quotes)
            and not cited.year
            and not cited.section
        ):
            return
        what = {"trial": "trial", "journal": "article", "society": "guideline"}[cited.kind]
        s.wrong("citation", cited.start, cited.end, f"no such {what} is among the evidence for this case")

    def _cites(self, cited: Citation, text: str) -> bool:
        if cited.kind == "trial":
            return bool(re.search(rf"(?<![\w-]){re.escape(cited.value)}(?![\w-])(?!\s\d)", text))
        if cited.kind == "journal":
            squeeze = re.sub(r"[\s(),.;]", "", cited.value.lower())
            return squeeze in re.sub(r"[\s(),.;]", "", text.lower())
        if not re.search(rf"(?<![\w-])(?:{SOCIETIES[cited.value]})(?![\w-])", text):
            return False
        section = not cited.section or bool(re.search(rf"\bsection\s+{cited.section}\b", text, re.IGNORECASE))
        return section and (not cited.year or cited.year in text)

    def _name(self, name: Name) -> None:
        s, index = self.s, self.index
        words = [w.lower().rstrip(".") for w in name.words if len(w.rstrip(".")) > 1]
        rest = words[1:] if name.start == 0 and len(words) > 2 else []
        if rest and not _everyday(rest[0]) and any(all(self._in(w, n) for w in rest) for n, _ in index.names):
            return  # a verb that begins the sentence: "Ask Heather Crawford …"
        shown = " ".join(name.words).lower()
        if name.role == "organisation" and any(shown in quote for quote, _ in index.quotes):
            return
        proper = [
            w for w in words if w in index.name_words or w.rstrip("s") in index.name_words or not _everyday(w)
        ]
        if not proper:
            return
        sure_unknown = [w for w in proper if not self._known_word(w)]
        if not sure_unknown:
            wanted = set(proper)
            match = next((f for names, f in index.names if all(self._in(w, names) for w in wanted)), None)
            if match is not None:
                s.support(match)
                return
            if name.role == "name" and not any(w in names for names, _ in index.names for w in wanted):
                return
        if name.role == "name" and not self._looks_named(name, sure_unknown):
            return
        what = "organisation" if name.role == "organisation" else "name"
        s.wrong("name", name.start, name.end, f"this {what} is not in the chart or the plan")

    def _known_word(self, word: str) -> bool:
        return any(self._in(word, names) for names, _ in self.index.names)

    def _in(self, word: str, names: frozenset[str]) -> bool:
        return word in names or f"{word}s" in names or word.rstrip("s") in names

    def _looks_named(self, name: Name, unknown: list[str]) -> bool:
        """Capitalised words without a title are a name if they stand in a sentence or alone, not in a heading."""
        s = self.s
        if any(self.index.lexicon.made_of(word.casefold()) for word in name.words):
            return False
        alone = name.end - name.start >= len(s.text.strip(" .:")) - 4
        capitals = list(re.findall(r"[A-Za-z]{3,}", s.text))
        heading = (
            not re.search(r"[.;!?]\s*$", s.text)
            and len(capitals) > 3
            and sum(w[0].isupper() for w in capitals) > 0.6 * len(capitals)
        )
        label = bool(re.match(r"\s*:", s.text[name.end :]))
        return (
            len(name.words) in (2, 3)
            and not label
            and (not heading or alone or bool(re.match(r"\s*,\s*born", s.text[name.end :])))
        )

    # --- conditions -------------------------------------------------------------------------------------------

    def _condition(self, condition: Condition) -> None:
        s, part = self.s, self.s.around(condition.start)
        if s.supposed or part.general or (part.policy and not part.patient) or self._is_use(condition):
            return
        denied = self._denied(condition)
        relation = RELATION.search(part.text)
        if part.family and not re.search(r"\bpersonal\b", part.text, re.IGNORECASE):
            self._family(condition, denied, relation[1].lower() if relation else "")
            return
        if part.unsure and not denied:
            return
        if denied:
            self._absent(condition, part.family)
        elif part.patient or re.search(
            r"\b(?:with|has|had|have|is|due\s+to|because)\b|[:(]", part.text.lower()
        ):
            self._present(condition)

    def _is_use(self, condition: Condition) -> bool:
        """ "for type 2 diabetes" names a use; "diabetes drugs" names no patient."""
        before = self.s.low[max(0, condition.start - 60) : condition.start]
        if (self.s.around(condition.start).asked or self.s.verdicts) and re.search(
            r"\bfor\s+(?:[\w-]+\s+){0,5}$", before
        ):
            return True
        return bool(
            re.search(
                r"\b(?:for|treat|treating|indicated\s+in|to\s+prevent|risk\s+of)\s+(?:chronic\s+|adult\s+"
                r"|the\s+treatment\s+of\s+)?$",
                before,
            )
        )

    def _denied(self, condition: Condition) -> bool:
        text, part = self.s.text, self.s.around(condition.start)
        start = max(part.span.start, condition.start - 70)
        before = stance.NOT_ONLY.sub(lambda m: " " * len(m[0]), text[start : condition.start])
        last = None
        for last in stance.NOT.finditer(before):  # noqa: B007 - the nearest one counts
            pass
        if last is not None:
            between = before[last.end() :]
            broken = re.search(
                r"[:(]|\bbecause\b|\bwith\b|\band\s+(?:has|is|he|she)\b|\bhas\b(?!\s+(?:a|any|had))", between
            )
            enumerated = "," in between and not re.search(
                r"\b(?:no|denies|without|or)\b", between + last[0], re.IGNORECASE
            )
            if not broken and not enumerated:
                return True
        after = text[condition.end : min(part.span.end, condition.end + 40)]
        return bool(
            re.match(
                r"\W*(?:\(?(?:was|is|has\s+been|are)\s+)?(?:denied|absent|not\s+(?:present|found|on)|ruled\s+out"
                r"|negative)",
                after,
                re.IGNORECASE,
            )
        ) or bool(
            re.search(r"not\s+on\s+the\s+problem\s+list:?[^.]*$", text[: condition.start], re.IGNORECASE)
        )

    def _status(self, key: str) -> str:
        if key == "diabetes":
            both = {self.index.conditions.get("t2dm"), self.index.conditions.get("t1dm")}
            return "present" if "present" in both else "unknown" if "unknown" in both else "absent"
        return self.index.conditions.get(key, "")

    def _label(self, key: str) -> str:
        return CONCEPTS[key].label if key in CONCEPTS else key

    def _present(self, condition: Condition) -> None:
        s, key = self.s, condition.key
        words = s.low[condition.start : condition.end]
        if (
            self._status(key) in ("present", "")
            or any(words in d.name for d in self.index.diagnoses)
            or self.index.onset_keys(key)
        ):
            return
        if key == "ckd" and self._status("dialysis") == "present":
            return
        s.wrong("negation", condition.start, condition.end, f"the chart has no {self._label(key)}")

    def _absent(self, condition: Condition, family: bool) -> None:
        s, key = self.s, condition.key
        charted = self._status(key) == "present" or bool(self.index.onset_keys(key))
        if charted and not (key == "overweight" and self._status("obesity") == "present"):
            s.wrong("negation", condition.start, condition.end, f"the chart has {self._label(key)}")
        elif family and key in CONCEPTS and CONCEPTS[key].topic:
            topic = CONCEPTS[key].topic
            if self.index.stated.get(f"{topic}:family") not in ("absent", None) or not any(
                k.startswith(f"{topic}:") for k in self.index.stated
            ):
                s.wrong(
                    "negation",
                    condition.start,
                    condition.end,
                    f"the chart does not state that the family has no {self._label(key)}",
                )

    def _family(self, condition: Condition, denied: bool, relation: str) -> None:
        s = self.s
        hits = [(who, fact) for who, text, fact in self.index.family if self._same_condition(condition, text)]
        if denied and hits:
            s.wrong(
                "negation",
                condition.start,
                condition.end,
                f"family history: {', '.join(who for who, _ in hits)}",
            )
        elif (
            not denied
            and not hits
            and not s.around(condition.start).unsure
            and not s.around(condition.start).policy
        ):
            s.wrong("negation", condition.start, condition.end, "not in the family history")
        elif not denied and hits and relation and relation.rstrip("s") != "parent":
            if relation not in [who for who, _ in hits]:
                s.wrong(
                    "attribute",
                    condition.start,
                    condition.end,
                    f"family history: {', '.join(who for who, _ in hits)}",
                )
            else:
                s.support(*(fact for who, fact in hits if who == relation))

    def _same_condition(self, condition: Condition, text: str) -> bool:
        keys = {c.key for c in conditions(text)}
        return condition.key in keys or (condition.key == "diabetes" and bool(keys & {"t2dm", "t1dm"}))

    # --- what the engine said -----------------------------------------------------------------------------------

    def _verdict(self, verdict: stance.Said) -> None:
        s, part = self.s, self.s.around(verdict.start)
        if re.search(r"\d\s+(?:drugs?\s+)?(?:with\s+|are\s+|is\s+)?$", s.text[: verdict.start]):
            return  # so many of them: a count
        drugs = self._drugs_of(verdict)
        wrong = [d for d in drugs if not self._agrees(verdict, d)]
        if not s.drugs and len(wrong) < len(drugs):
            return  # "it", of several
        if not wrong or (
            part.asked
            and verdict.what in ("approved", "would_be_approved")
            and re.search(r"\b(?:please|ask|request)\b", part.text, re.IGNORECASE)
        ):
            return
        if verdict.what in ("approved", "denied") and stance.DRUG_APPROVED.search(part.text):
            return
        known = ", ".join(
            f"{d}: {' or '.join(sorted(self.index.outcomes.get(d, {}))) or 'not determined'}" for d in wrong
        )
        s.wrong(
            "status",
            verdict.start,
            verdict.end,
            f"the determination says otherwise ({known})".replace("_", " "),
        )

    def _drugs_of(self, verdict: stance.Said) -> list[str]:
        s, part = self.s, self.s.around(verdict.start)
        judged = (
            self.index.outcomes.keys()
            | self.index.supposed_outcomes.keys()
            | {k.partition(":")[2] for k in self.index.flags}
        )
        mine = [
            (d, n)
            for d in s.drugs
            if part.span.start <= d.start < part.span.end
            and (n := self._judged(d.name, d.ingredients, judged))
        ]
        ahead = [(d, n) for d, n in mine if d.end <= verdict.start]
        behind = [(d, n) for d, n in mine if d.start >= verdict.end - 12]
        chosen = ahead[::-1] or behind
        if not chosen:
            return [n for d in s.drugs if (n := self._judged(d.name, d.ingredients, judged))][:1] or sorted(
                self.index.main
            )
        linked = [chosen[0]]
        for one in chosen[1:]:
            a, b = sorted((linked[-1][0], one[0]))
            if not LINKED.fullmatch(s.text[a.end : b.start]):
                break
            linked.append(one)
        return [n for _, n in linked]

    def _judged(self, name: str, ingredients: tuple[str, ...], judged: set[str]) -> str:
        if name in judged:
            return name
        brands = [d for d in sorted(judged) if set(self.index.lexicon.made_of(d)) & set(ingredients)]
        mine = [d for d in brands if d in self.index.main]
        return (mine or (brands if len(brands) == 1 else [""]))[0]

    def _agrees(self, verdict: stance.Said, drug: str) -> bool:
        index, s = self.index, self.s
        what, denied = verdict.what, verdict.denied
        outcomes = set(index.outcomes.get(drug, {}))
        if s.supposed:
            outcomes |= set(index.supposed_outcomes.get(drug, {}))
            if drug not in index.supposed_outcomes and what not in ("approved", "denied"):
                return True
        s.support(*index.outcomes.get(drug, {}).values())
        if what == "approved":
            return denied or drug in index.granted
        if what == "denied":
            return denied
        if what == "would_be_approved":
            if "guarantee" in s.low[verdict.start : verdict.end]:
                return denied
            return bool(outcomes & FAVOURABLE) != denied
        if what == "eligible":
            return bool(outcomes & FAVOURABLE) != denied or (
                denied and "needs_documentation" in outcomes and "yet" in s.low
            )
        if what in ("covered", "not_covered"):
            flag = index.flags.get(f"covered:{drug}", "no" if "not_covered" in outcomes else "yes")
            return (flag == "yes") == ((what == "covered") != denied)
        if what in ("required", "not_required"):
            flag = index.flags.get(f"pa:{drug}", "no" if "not_required" in outcomes else "yes")
            covered = index.flags.get(f"covered:{drug}", "yes") == "yes"
            return (flag == "yes") == ((what == "required") != denied) and (covered or flag == "yes")
        if what == "needs_documentation":
            open_ = "needs_documentation" in outcomes or any(
                "unknown" in some for some in index.states.values()
            )
            return open_ or "ready" not in outcomes
        if what == "all_met":
            every = re.match(r"all|every|each|meets|satisf", s.low[verdict.start : verdict.end])
            return (
                bool(outcomes & {"ready", "quantity_exception"}) or (not every and self._criteria_met(drug))
            ) != denied
        wanted = {"likely_denial": {"likely_denial"}, "ready": {"ready"}}.get(what, {what})
        return bool(outcomes & wanted) != denied

    def _criteria_met(self, drug: str) -> bool:
        """The criteria, leaving exclusions aside."""
        counts = {
            f.attribute: f.value for f in self.index.facts
            if f.kind == "count" and f.source.lower().endswith(f"/{drug}/criteria")
        }  # fmt: skip
        return bool(counts.get("met findings")) and not (
            counts.get("not_met findings") or counts.get("unknown findings")
        )

    def _states(self) -> None:
        """Criteria by their clause: met, not met, unknown."""
        s, index = self.s, self.index
        if s.supposed:
            return
        self._of_the_clause_ahead()
        for code in s.codes:
            if code.system not in ("clause", "id") or (
                code.value not in index.states and normal(code.value, "clause") not in index.states
            ):
                continue
            part = s.around(code.start)
            near = [one for one in s.states if part.span.start <= one.start < part.span.end] or (
                [] if len(s.codes) > 1 else s.states
            )
            if not near:
                continue
            one = min(near, key=lambda said: abs(said.start - code.start))
            known = index.states.get(code.value) or index.states[normal(code.value, "clause")]
            what = one.what
            if what == "met" and stance.denies(s.text, one.start, reach=18):
                what = "not_met"
            fine = {"unknown": {"unknown"}, "not_met": {"not_met"}, "met": {"met"}}[what]
            if not known.keys() & fine:
                s.wrong(
                    "status",
                    one.start,
                    one.end,
                    f"{s.text[code.start : code.end]} is {' or '.join(sorted(known))}".replace("_", " "),
                )
            else:
                s.support(*known.values())

    def _of_the_clause_ahead(self) -> None:
        """ "Met on the record: …" in the line below a clause is said of that clause."""
        s, index = self.s, self.index
        ahead = s.before.codes[:1] if s.before is not None else []
        if not ahead or ahead[0].start > 2 or any(c.system == "clause" for c in s.codes):
            return
        known = index.states.get(ahead[0].value) or index.states.get(normal(ahead[0].value, "clause"))
        first = re.match(r"\W*(not\s+)?met\b", s.low)
        if known and first and not known.keys() & ({"not_met"} if first[1] else {"met"}):
            shown = " or ".join(sorted(known)).replace("_", " ")
            s.wrong("status", first.start(), first.end(), f"{ahead[0].value} is {shown}")

    # --- the rest ---------------------------------------------------------------------------------------------

    def _sex(self) -> None:
        if self.index.sex not in ("male", "female"):
            return
        for match in SEXED.finditer(self.s.text):
            if (
                match[1] is None
                or self.s.around(match.start()).policy
                or (len(match[1]) == 1 and not match[1].isupper())
            ):
                continue
            said = "female" if match[1].lower() in FEMALE else "male"
            if said != self.index.sex:
                self.s.wrong("attribute", match.start(1), match.end(1), f"the patient is {self.index.sex}")

    def _programs(self) -> None:
        s = self.s
        known = [f for f in self.index.facts if f.attribute == "program"]
        for match in s.free_matches(PROGRAM):
            part = s.around(match.start())
            if s.supposed or part.unsure or part.general or (part.policy and not part.patient):
                continue
            verb = ATTENDED.search(part.text)
            if not verb:
                continue
            denied = stance.denies(part.text, verb.start())
            if not denied and not known:
                s.wrong("negation", match.start(), match.end(), "the chart has no such program")
            elif denied and known:
                s.wrong("negation", match.start(), match.end(), "the chart has a program")


def _everyday(word: str) -> bool:
    return word in COMMON or word in MEDICAL or word in ORGANISED or word.rstrip("s") in COMMON
