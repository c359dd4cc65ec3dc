"""Relationship questions: how patients, courses, payers, prescribers and criteria hang together, over a whole panel.

`building` turns charts (`facts`) into the nodes and edges of `model`, in one of the engines `embedded` and `falkor`;
`asking` hands out the graph of the store as it is; `pathways`, `patterns` and `policy_change` answer by `questions`,
with their N, intervals, and no cell that is too small.
"""
