"""Relationship questions: how patients, courses, payers, prescribers and criteria hang together, over a whole panel.

model      what stands in the graph, and by what it is found
facts      a chart as nodes and edges: pure, one patient at a time
ways       what would have to be done before a request is complete
building   the store's charts, in bulk, as a graph of one state of the store
questions  the openCypher of each question, and the same as SQL
engines    embedded (SQLite), falkor, neo4j: they hold a graph and answer questions
answers    rows as answers, with their N, intervals, and no cell that is too small
"""
