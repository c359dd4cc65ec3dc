"""Batches: many requests at once, drafted in chunks on a durable queue, each case once however often it is begun.

requests → checking → store (batch, items) → worker (queue, processes) → chunks → drafting → results
"""
