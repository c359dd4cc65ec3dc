"""Proves in the large what tests show of samples; exit code 1 if something does not hold.

python -m evals.proofs                                   what there is to prove
python -m evals.proofs tamperings count=600 --write      … and the figures kept in evals/results
python -m evals.proofs kills cases=25 kills=312 each=25 --write --to kills_faults
"""

from __future__ import annotations

from evals.pages import Measure, Page, command

PAGES = {
    "trust": Page("Trust, proved in the large", "Each part by itself."),
    "papers": Page("What goes to a payer, proved in the large", "Each part by itself."),
    "packets": Page("Packets, as the payer's desk would look at them", "Each check on every packet."),
    "kills": Page(
        "A batch that is killed again and again", "A fault of any process is told by `faulthandler`."
    ),
    "oracle": Page(
        "The engine and the independent oracle",
        "The oracle shares no code with the engine (import-linter holds it). What differed at first, and who was right:"
        " [README](../oracle/README.md).",
    ),
    "mutants": Page(
        "Bugs planted in the engine",
        "Each is planted while the engine is imported, and the suites are asked again.",
    ),
    "workspace/tasks": Page("Fifteen tasks of a new user", "One after the other, each from the worklist."),
    "simulate": Page("A clinic's year, simulated", "One year, with plots: `pa simulate`."),
    "relations": Page("What must not change", "Cases are drawn from a seed."),
}
MEASURES = {
    "tasks": Measure("evals.proofs.tasks", "workspace/tasks"),
    "tamperings": Measure("evals.proofs.audit:tamperings", "trust", "What is changed past Paladin is found"),
    "probes": Measure("evals.proofs.api:probes", "trust", "What another practice keeps is as what is not there"),
    "bodies": Measure("evals.proofs.api:bodies", "trust", "Hostile bodies are refused, soon, and are no fault"),
    "files": Measure("evals.proofs.hostile:files", "trust", "Hostile files are refused, soon, and are no fault"),
    "names": Measure("evals.proofs.hostile:names", "trust", "Names that would order a terminal do not"),
    "replays": Measure("evals.proofs.audit:replays", "trust", "Drafts are decided again from what was known then"),
    "writes-killed": Measure(
        "evals.proofs.kills.writes:killed", "trust", "Killed at any write and said again, nothing is lost or doubled"
    ),
    "stores": Measure("evals.proofs.stores", "trust"),
    "egress": Measure("evals.proofs.egress", "trust"),
    "size": Measure("evals.proofs.size", "trust"),
    "load": Measure("evals.proofs.audit:load", "trust", "Under load everything is answered in time, and recorded"),
    "fuzz": Measure("evals.proofs.api:fuzz", "trust", "Every answer is one that the schema of the API knows"),
    "flows": Measure(
        "evals.proofs.api:flows", "trust", "Nor is there another one to calls that go on with what was answered"
    ),
    "enclosures": Measure(
        "evals.proofs.papers:enclosures_hold", "papers", "What is listed is what is in the packet, byte for byte"
    ),
    "edits": Measure(
        "evals.proofs.papers:edits", "papers",
        "All papers of an edited draft agree, or the edit is refused and changes nothing",
    ),
    "read-back": Measure(
        "evals.proofs.papers:read_back", "papers", "`pa verify` flags nothing in our own papers, read back from PDF"
    ),
    "papers-killed": Measure(
        "evals.proofs.kills.papers:killed", "papers", "Killed at any point, nothing is lost, doubled or half-written"
    ),
    "speed": Measure("evals.proofs.papers:speed", "papers", "How soon papers are made"),
    "packets": Measure("evals.proofs.packets", "packets"),
    "kills": Measure("evals.proofs.kills.batches", "kills"),
    "oracle": Measure("evals.agreement.comparing", "oracle"),
    "mutants": Measure("evals.agreement.mutants.measuring", "mutants", "Which suite notices which planted bug"),
    "simulate": Measure("evals.simulate.results", "simulate"),
    "metamorphic": Measure("evals.agreement.metamorphic", "relations"),
    "by-hand": Measure("evals.agreement.by_hand", "relations"),
}  # fmt: skip

app = command("python -m evals.proofs", PAGES, MEASURES, __doc__)

if __name__ == "__main__":
    app()
