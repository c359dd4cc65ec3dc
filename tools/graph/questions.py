"""Each question once as openCypher, for a graph server, and once as SQL, for the embedded graph.

Both give the same rows, in whatever order. No text is ever made of anything that somebody typed: that travels as a
parameter.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """The two texts, with the same `$` parameters and the same columns."""

    cypher: str
    sql: str


QUESTIONS: dict[str, Question] = {
    "patient": Question(
        "MATCH (p:Patient {id: $id}) RETURN p.payer, p.profile, p.path, p.ends",
        "SELECT payer, profile, path, ends FROM Patient WHERE id = $id",
    ),
    "courses": Question(
        """
        MATCH (:Patient {id: $id})-[t:TOOK]->(m:Medicine)
        RETURN m.name, t.place, t.start, t.days, t.response, t.ended
        """,
        "SELECT target, place, start, days, response, ended FROM TOOK WHERE source = $id",
    ),
    "pathways": Question(
        """
        MATCH (s:Profile)<-[:FITS]-(c:Cohort)
        WHERE (s.key = $profile OR ($more <> '' AND s.key STARTS WITH $more))
          AND ($payer = '' OR c.payer = $payer) AND c.path STARTS WITH $path
        RETURN c.path, c.ends, sum(c.n)
        """,
        """
        SELECT c.path, c.ends, sum(c.n)
        FROM Profile s JOIN FITS f ON f.target = s.key JOIN Cohort c ON c.key = f.source
        WHERE (s.key = $profile OR ($more <> '' AND substr(s.key, 1, length($more)) = $more))
        AND ($payer = '' OR c.payer = $payer) AND substr(c.path, 1, length($path)) = $path
        GROUP BY c.path, c.ends
        """,
    ),
    "prescribers": Question(
        """
        MATCH (d:Prescriber)<-[:SEES]-(:Patient)-[o:ORDERED {basis: $basis}]->(b:Benefit)
        RETURN d.npi, d.name, d.specialty, b.plan, b.drug, count(o), sum(o.denied)
        """,
        """
        SELECT d.npi, d.name, d.specialty, b.plan, b.drug, count(*), sum(o.denied)
        FROM ORDERED o JOIN SEES s ON s.source = o.source JOIN Prescriber d ON d.npi = s.target
        JOIN Benefit b ON b.key = o.target
        WHERE o.basis = $basis GROUP BY d.npi, d.name, d.specialty, b.plan, b.drug
        """,
    ),
    "payers": Question(
        """
        MATCH (:Patient)-[o:ORDERED {basis: $basis}]->(b:Benefit)
        WITH b, count(o) AS orders, sum(o.denied) AS denied
        MATCH (b)-[:OFFERED_BY]->(y:Payer)
        RETURN y.id, y.name, '' AS detail, '' AS plan, b.drug, sum(orders), sum(denied)
        """,
        """
        SELECT y.id, y.name, '', '', b.drug, count(*), sum(o.denied)
        FROM ORDERED o JOIN Benefit b ON b.key = o.target JOIN OFFERED_BY f ON f.source = b.key
        JOIN Payer y ON y.id = f.target
        WHERE o.basis = $basis GROUP BY y.id, y.name, b.drug
        """,
    ),
    "asked": Question(
        """
        MATCH (:Patient)-[a:ASKS]->(b:Benefit) WITH b, a.outcome AS outcome, count(a) AS n
        RETURN b.plan, b.drug, outcome, n
        """,
        """
        SELECT b.plan, b.drug, a.outcome, count(*) FROM ASKS a JOIN Benefit b ON b.key = a.target
        GROUP BY a.target, a.outcome
        """,
    ),
    "criteria": Question(
        """
        MATCH (:Patient)-[o:ONLY]->(c:Criterion)
        WITH c, o.status AS status, count(o) AS n, sum(o.ordered) AS ordered
        RETURN c.plan, c.drug, c.indication, c.criterion, c.text, c.clause, c.part, c.kind, status, n, ordered
        """,
        """
        SELECT c.plan, c.drug, c.indication, c.criterion, c.text, c.clause, c.part, c.kind,
               o.status, count(*), sum(o.ordered)
        FROM ONLY o JOIN Criterion c ON c.key = o.target GROUP BY o.target, o.status
        """,
    ),
}
