"""The payer, simulated: it reads the form and the papers that it was sent, judges them by its printed policy, and
answers with letters.

    form.py       the fields of a filled form, from its PDF
    phrases.py    what the values on a form say: a measurement, a course, a statement, …
    papers.py     what an enclosed paper is, and what it shows
    rebuilding.py form and papers as a chart, in the shape that the oracle reads
    judging.py    the printed policy on that chart (evals/oracle), and what comes of it
    answering.py  the payer's desk: its days, its mistakes, its memory of what it was sent, its letters

It knows what any payer knows: its plans, its policies, its forms, and what a drug or a code is. Of the patient it
knows what the form and the papers say. It never sees Paladin's database and never asks its engine.
"""
