"""Each question once as openCypher, run unchanged by every server, and once as SQL for the embedded graph.

Both give the same rows, in whatever order, with the columns named here. The texts keep to what openCypher 9 has.
No text is ever made of anything that somebody typed: that travels as a parameter.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """`columns` of the rows, and the two texts, with the same `$` parameters."""

    columns: tuple[str, ...]
    cypher: str
    sql: str


# Of what a rule decided; the rest never came to a criterion.
DECIDED = "['ready', 'needs_documentation', 'likely_denial', 'quantity_exception']"
_DECIDED = DECIDED.replace("[", "(").replace("]", ")")

QUESTIONS: dict[str, Question] = {
    "patient": Question(
        ("id",),
        "MATCH (p:Patient {id: $id}) RETURN p.id",
        "SELECT id FROM n_Patient WHERE id = $id",
    ),
    "group": Question(
        ("payer", "profile", "path", "ends"),
        """
        MATCH (:Patient {id: $id})-[:IN]->(g:Group)-[:FITS]->(s:Profile)
        RETURN g.payer, s.key, g.path, g.ends
        """,
        """
        SELECT g.payer, s.key, g.path, g.ends
        FROM n_Patient p JOIN e_IN i ON i.a = p.rid JOIN n_Group g ON g.rid = i.b
        JOIN e_FITS f ON f.a = g.rid JOIN n_Profile s ON s.rid = f.b
        WHERE p.id = $id
        """,
    ),
    "courses": Question(
        ("medicine", "place", "start", "days", "response", "ended"),
        """
        MATCH (:Patient {id: $id})-[t:TOOK]->(m:Medicine)
        RETURN m.name, t.place, t.start, t.days, t.response, t.ended
        """,
        """
        SELECT m.name, t.place, t.start, t.days, t.response, t.ended
        FROM n_Patient p JOIN e_TOOK t ON t.a = p.rid JOIN n_Medicine m ON m.rid = t.b
        WHERE p.id = $id
        """,
    ),
    "pathways": Question(
        ("path", "ends", "n"),
        """
        MATCH (s:Profile)<-[:FITS]-(g:Group)
        WHERE (s.key = $profile OR ($more <> '' AND s.key STARTS WITH $more))
          AND ($payer = '' OR g.payer = $payer) AND g.path STARTS WITH $path
        RETURN g.path, g.ends, sum(g.n)
        """,
        """
        SELECT g.path, g.ends, sum(g.n)
        FROM n_Profile s JOIN e_FITS f ON f.b = s.rid JOIN n_Group g ON g.rid = f.a
        WHERE (s.key = $profile OR ($more <> '' AND substr(s.key, 1, length($more)) = $more))
        AND ($payer = '' OR g.payer = $payer) AND substr(g.path, 1, length($path)) = $path
        GROUP BY g.path, g.ends
        """,
    ),
    "cases": Question(
        ("drug", "tier", "pa", "outcome", "indication", "open", "ordered", "on_label"),
        """
        MATCH (:Patient {id: $id})-[k:ASKS]->(b:Benefit)
        RETURN b.drug, b.tier, b.pa, k.outcome, k.indication, k.open, k.ordered, k.on_label
        """,
        """
        SELECT b.drug, b.tier, b.pa, k.outcome, k.indication, k.open, k.ordered, k.on_label
        FROM n_Patient p JOIN e_ASKS k ON k.a = p.rid JOIN n_Benefit b ON b.rid = k.b
        WHERE p.id = $id
        """,
    ),
    "ways": Question(
        ("drug", "indication", "kinds", "whats", "texts", "days", "criteria"),
        """
        MATCH (:Patient {id: $id})-[:STANDS]->(s:Situation)
        MATCH w = (s)-[:DO*0..20]->(:Situation {left: 0})
        WITH s, relationships(w) AS steps
        RETURN s.drug, s.indication, [x IN steps | x.kind], [x IN steps | x.what], [x IN steps | x.text],
               [x IN steps | x.days], [x IN steps | x.criterion]
        """,
        """
        WITH RECURSIVE way(drug, indication, at, left, length, kinds, whats, texts, days, criteria) AS (
            SELECT s.drug, s.indication, s.rid, s.left, 0, '[]', '[]', '[]', '[]', '[]'
            FROM n_Patient p JOIN e_STANDS x ON x.a = p.rid JOIN n_Situation s ON s.rid = x.b
            WHERE p.id = $id
            UNION ALL
            SELECT way.drug, way.indication, t.rid, t.left, way.length + 1,
                   json_insert(way.kinds, '$[#]', d.kind), json_insert(way.whats, '$[#]', d.what),
                   json_insert(way.texts, '$[#]', d.text), json_insert(way.days, '$[#]', d.days),
                   json_insert(way.criteria, '$[#]', d.criterion)
            FROM way JOIN e_DO d ON d.a = way.at JOIN n_Situation t ON t.rid = d.b
            WHERE way.length < 20
        )
        SELECT drug, indication, kinds, whats, texts, days, criteria FROM way WHERE left = 0
        """,
    ),
    "prescribers": Question(
        ("npi", "name", "specialty", "plan", "drug", "asked", "denied", "open"),
        f"""
        MATCH (d:Prescriber)<-[:SEES]-(p:Patient)-[k:ASKS]->(b:Benefit)
        WHERE k.ordered = 1 AND k.outcome IN {DECIDED}
        RETURN d.npi, d.name, d.specialty, b.plan, b.drug, count(k),
               sum(CASE k.outcome WHEN 'likely_denial' THEN 1 ELSE 0 END),
               sum(CASE k.outcome WHEN 'needs_documentation' THEN 1 ELSE 0 END)
        """,
        f"""
        SELECT d.npi, d.name, d.specialty, b.plan, b.drug, count(*),
               sum(k.outcome = 'likely_denial'), sum(k.outcome = 'needs_documentation')
        FROM e_ASKS k JOIN e_SEES x ON x.a = k.a JOIN n_Prescriber d ON d.rid = x.b
        JOIN n_Benefit b ON b.rid = k.b
        WHERE k.ordered = 1 AND k.outcome IN {_DECIDED}
        GROUP BY d.npi, d.name, d.specialty, b.plan, b.drug
        """,
    ),
    "payers": Question(
        ("payer", "name", "drug", "asked", "denied", "open"),
        f"""
        MATCH (:Patient)-[k:ASKS]->(b:Benefit)
        WHERE k.ordered = 1 AND k.outcome IN {DECIDED}
        WITH b, count(k) AS asked,
             sum(CASE k.outcome WHEN 'likely_denial' THEN 1 ELSE 0 END) AS denied,
             sum(CASE k.outcome WHEN 'needs_documentation' THEN 1 ELSE 0 END) AS open
        MATCH (b)<-[:LISTS]-(:Plan)-[:OF]->(y:Payer)
        RETURN y.id, y.name, b.drug, sum(asked), sum(denied), sum(open)
        """,
        f"""
        SELECT y.id, y.name, b.drug, count(*),
               sum(k.outcome = 'likely_denial'), sum(k.outcome = 'needs_documentation')
        FROM e_ASKS k JOIN n_Benefit b ON b.rid = k.b JOIN e_LISTS l ON l.b = b.rid
        JOIN e_OF o ON o.a = l.a JOIN n_Payer y ON y.rid = o.b
        WHERE k.ordered = 1 AND k.outcome IN {_DECIDED}
        GROUP BY y.id, y.name, b.drug
        """,
    ),
    "decided_prescribers": Question(
        ("npi", "name", "specialty", "plan", "drug", "asked", "denied", "open"),
        """
        MATCH (d:Prescriber)<-[:SEES]-(p:Patient)-[k:DECIDED]->(b:Benefit)
        RETURN d.npi, d.name, d.specialty, b.plan, b.drug, count(k),
               sum(CASE k.answer WHEN 'denied' THEN 1 ELSE 0 END), 0
        """,
        """
        SELECT d.npi, d.name, d.specialty, b.plan, b.drug, count(*), sum(k.answer = 'denied'), 0
        FROM e_DECIDED k JOIN e_SEES x ON x.a = k.a JOIN n_Prescriber d ON d.rid = x.b
        JOIN n_Benefit b ON b.rid = k.b
        GROUP BY d.npi, d.name, d.specialty, b.plan, b.drug
        """,
    ),
    "decided_payers": Question(
        ("payer", "name", "drug", "asked", "denied", "open"),
        """
        MATCH (:Patient)-[k:DECIDED]->(b:Benefit)<-[:LISTS]-(:Plan)-[:OF]->(y:Payer)
        RETURN y.id, y.name, b.drug, count(k), sum(CASE k.answer WHEN 'denied' THEN 1 ELSE 0 END), 0
        """,
        """
        SELECT y.id, y.name, b.drug, count(*), sum(k.answer = 'denied'), 0
        FROM e_DECIDED k JOIN n_Benefit b ON b.rid = k.b JOIN e_LISTS l ON l.b = b.rid
        JOIN e_OF o ON o.a = l.a JOIN n_Payer y ON y.rid = o.b
        GROUP BY y.id, y.name, b.drug
        """,
    ),
    "asked": Question(
        ("plan", "drug", "outcome", "n", "ordered"),
        """
        MATCH (:Patient)-[k:ASKS]->(b:Benefit) WHERE k.on_label = 1
        WITH b, k.outcome AS outcome, count(k) AS n, sum(k.ordered) AS ordered
        RETURN b.plan, b.drug, outcome, n, ordered
        """,
        """
        SELECT b.plan, b.drug, k.outcome, count(*), sum(k.ordered)
        FROM e_ASKS k JOIN n_Benefit b ON b.rid = k.b WHERE k.on_label = 1
        GROUP BY b.plan, b.drug, k.outcome
        """,
    ),
    "criteria": Question(
        (
            "key", "plan", "drug", "indication", "criterion", "text", "clause", "part", "status", "n", "ordered"
        ),
        """
        MATCH (:Patient)-[l:ONLY]->(c:Criterion)
        WITH c, l.status AS status, count(l) AS n, sum(l.ordered) AS ordered
        RETURN c.key, c.plan, c.drug, c.indication, c.criterion, c.text, c.clause, c.part, status, n, ordered
        """,
        """
        SELECT c.key, c.plan, c.drug, c.indication, c.criterion, c.text, c.clause, c.part,
               l.status, count(*), sum(l.ordered)
        FROM e_ONLY l JOIN n_Criterion c ON c.rid = l.b
        GROUP BY c.rid, l.status
        """,
    ),
}  # fmt: skip
