"""Relationship questions: how patients, courses, payers, prescribers and criteria hang together, over a whole panel.

model      the kinds of nodes and edges
facts      a chart as nodes and edges: pure, one patient at a time
building   the store's charts, in bulk, as a graph of one state of the store
questions  each question as openCypher and as SQL
engines    embedded (SQLite) and falkor hold a graph and answer questions; asking opens them
answers    pathways, patterns, policy_change: rows with their N, intervals, and no cell that is too small
"""
