"""All writes but those of papers and batches, in sessions that are killed: into charts, imports, names of medicines,
users and keys, cases with a denial, who does what, what is over, and the chat.

`python -m evals.proofs writes-killed` runs it. Every command is said again by the next session, as by somebody who
knows nothing of the last one; what tells what it did once alone, a key, is taken back. In the end everything is
there once, and the log is whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from langgraph.checkpoint.sqlite import SqliteSaver

from agent import conversation
from agent.administration import retention
from agent.runtime.home import now
from agent.runtime.settings import read_settings
from agent.runtime.stores import open_store
from evals.proofs.homes import PASSWORD, cases_to_draft, open_world
from evals.proofs.kills.sessions import Campaign, Points, main, pa, trial
from tools.audit.verification import verify
from tools.store.audit import Audited
from tools.store.store import Store
from tools.store.worklists import RequestKey

BY = ("--by", "R. Lee, CPhT")
COURSE = ("opened", "reviewed", "submitted", "denied", "called")
ON = ("--on", "2026-09-10")
POINTS: Points = {
    "entry of a chart is kept": (Store, "add_chart_entry", "after"),
    "import is to be kept": (Store, "keep_import", "before"),
    "import is kept": (Store, "keep_import", "after"),
    "medicine is named": (Store, "name_medicine", "after"),
    "user is added": (Store, "add_user", "after"),
    "user is changed": (Store, "change_user", "after"),
    "key is made": (Store, "add_key", "after"),
    "case is opened": (Store, "open_case", "after"),
    "entry of a case is to be made": (Store, "enter", "before"),
    "entry of a case is made": (Store, "enter", "after"),
    "request is given to somebody": (Store, "assign", "after"),
    "event is to be recorded, its rows are written": (Audited, "record", "before"),
    "event is recorded, and not committed": (Audited, "record", "after"),
    "what is over is taken out, and not committed": (retention, "remove", "after"),
    "what is over is taken out, its files are there": (retention, "_finish", "before"),
    "turn of a conversation is to be kept": (SqliteSaver, "put", "before"),
    "turn of a conversation is kept": (SqliteSaver, "put", "after"),
}


class Work(NamedTuple):
    """What is done for one person, and for another one who is asked for something that is then rejected."""

    patient_id: str
    drug: str
    bundle: str  # a chart of another system, of somebody who is nobody here yet
    number: str
    other_id: str
    other_drug: str

    @property
    def user(self) -> str:
        return f"user-{self.number}"

    @property
    def medicine(self) -> str:
        return f"Slimara {self.number}"

    @property
    def stranger(self) -> str:
        return f"Zyx{self.number}dottir"


def prepare(home: Path, kills: int) -> list[Work]:
    """A store with people who have something to ask for, an admin, and a practice that keeps drafts for seven years."""
    count = max(4, kills)
    store = open_world(home, 4 * count)
    drugs: dict[str, str] = {}
    for case in cases_to_draft(store):
        drugs.setdefault(case.patient.id, case.drug.name)
        if len(drugs) == 2 * count:
            break
    store.add_user("root", "admin", PASSWORD, when=now())
    (home / "retention.json").write_text('{"drafts": 7}')
    people, work = iter(drugs.items()), list[Work]()
    for number, ((patient_id, drug), other) in enumerate(zip(people, people, strict=False)):
        one = Work(patient_id, drug, str(home / f"{number}.json"), f"{number:04}", *other)
        patient = {"resourceType": "Patient", "id": one.number, "gender": "female", "birthDate": "1970-01-01",
                   "identifier": [{"system": "urn:mrn", "value": one.number}],
                   "name": [{"family": one.stranger, "given": ["Ida"]}]}  # fmt: skip
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
        Path(one.bundle).write_text(json.dumps(bundle))
        work.append(one)
    store.close()
    return work


def do(unit: Sequence[str]) -> None:
    """Everything, whether it was done or not; the chat alone is gone on with where it was left."""
    one = Work(*unit)
    settings = read_settings()
    store = open_store(settings)
    pa("chart", "add", one.patient_id, "hba1c", "7.4", "%", "--date", "2026-08-01", *BY)
    pa("fhir", "import", one.bundle, "--plan", store.patient(one.patient_id).plan_id)
    pa("chart", "name", one.medicine, "--is", "phentermine", *BY)
    pa("users", "add", one.user, "--role", "viewer", typed=f"{PASSWORD}\n", may_fail=True)
    pa("users", "set", one.user, "--role", "reviewer")
    for key in _keys(store, one):
        pa("users", "revoke", key)  # it was told to nobody
    pa("users", "key", one.user)
    pa("case", "open", one.patient_id, one.drug, *BY)
    number = str(store.authorization_cases(one.patient_id)[0].id)
    pa("case", "record", number, "reviewed", "--why", "as it is", "--on", "2026-09-01", *BY)
    pa("case", "submit", number, "--on", "2026-09-02", *BY)
    pa("case", "record", number, "denied", "--reason", "step_therapy", *ON, *BY)
    pa("case", "log", number, "They say wait", "--spoke-with", "Kim", *ON, *BY)
    plan = store.authorization_cases(one.patient_id)[0].head.plan_id
    if RequestKey(one.patient_id, one.drug, plan) not in store.owners():
        store.assign([RequestKey(one.patient_id, one.drug, plan)], one.user, by="evals", when=now())
    over = [event for _, event in store.audit_events(one.other_id) if event.what == "retention.applied"]
    if not over:
        pa("draft", one.other_id, one.other_drug, "--force")
        for draft in store.drafts(patient_id=one.other_id):
            pa("review", str(draft.id), "--reject", "--reason", "another drug", *BY, may_fail=True)
    retention.apply(store, settings, now() + timedelta(days=8 * 366), by="R. Lee, CPhT")
    with conversation.conversations(settings) as talks:
        known = [kept for kept in conversation.kept(talks, 3) if kept.patient_id == one.patient_id]
    if not any(kept.turns for kept in known):
        going_on = ("--resume", known[0].id) if known else ("--patient", one.patient_id)
        pa("chat", *going_on, "--model", "offline", "--json", f"What is missing for {one.drug}?")
    store.close()


def left_behind(store: Store, unit: Sequence[str]) -> Iterator[str]:
    """What is lost, doubled or half-written of one person."""
    one, events = Work(*unit), Counter(event.what for _, event in store.audit_events(unit[0]))
    if (many := len(store.chart_entries(one.patient_id))) != 1 or events["chart.added"] != 1:
        yield f"{many} entries of a chart, {events['chart.added']} in the log"
    brought = store.find_patients(one.stranger)
    if [len(store.chart_versions(patient.id)) for patient in brought] != [1]:
        yield f"{len(brought)} imported people"
    if sum(name.name == one.medicine for name in store.medicine_names()) != 1:
        yield "the name of a medicine is lost or doubled"
    if [user.role for user in store.users() if user.name == one.user] != ["reviewer"]:
        yield "a user's role is lost"
    if len(_keys(store, one)) != 1:
        yield f"{len(_keys(store, one))} keys"
    courses = [
        tuple(event.what for event in case.events) for case in store.authorization_cases(one.patient_id)
    ]
    if courses != [COURSE]:
        yield f"cases went {courses}"
    if [owner for key, owner in store.owners().items() if key.patient_id == one.patient_id] != [one.user]:
        yield "who does a request is lost"
    if store.drafts(patient_id=one.other_id):
        yield "a draft that was over is there"


def _keys(store: Store, one: Work) -> list[str]:
    keys = store.keys()
    return [key.id for key in keys if key.user == one.user and not key.revoked]


def whole(store: Store) -> Iterator[str]:
    """What is wrong with the log, with conversations, and with the files of drafts, of which none is to be left."""
    yield from verify(store).problems
    settings = read_settings({"PALADIN_HOME": str(Path(str(store.engine.url.database)).parent)})
    yield from ("a file of a draft is left" for file in settings.drafts.rglob("*") if file.is_file())
    with conversation.conversations(settings) as talks:
        of = [(kept.patient_id, kept.turns) for kept in conversation.kept(talks, 10_000)]
    done = (settings.home / "done").read_text().split()
    if sorted(of) != sorted((patient_id, 1) for patient_id in done):
        yield f"{len(of)} conversations of {sum(turns for _, turns in of)} turns"


CAMPAIGN = Campaign(
    module="evals.proofs.kills.writes",
    points=POINTS,
    often={"entry of a case is to be made": 4, "entry of a case is made": 4,
           "event is to be recorded, its rows are written": 12, "event is recorded, and not committed": 12},
    prepare=prepare,
    do=do,
    left_behind=left_behind,
    whole=whole,
)  # fmt: skip

killed = partial(trial, CAMPAIGN)


if __name__ == "__main__":
    main(CAMPAIGN)
