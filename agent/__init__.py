"""Judgement and its doors: the workflow and chat graphs, models, CLI, API and page."""
