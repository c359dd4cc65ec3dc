"""What the engine says, as codes with parameters, and the one catalogue that puts them into words.

`message.py` is what the engine makes, `actions.py` what can be done and by whom, `<language>/` the templates, and
`catalogue.py` renders them by the rules of `grammar.py`. A second language is a second folder.
"""

from tools.messages.actions import VISIT, Action, Actor, Effort, action, both, choice
from tools.messages.catalogue import render, term
from tools.messages.message import Message, iso, message

__all__ = [
    "VISIT", "Action", "Actor", "Effort", "Message", "action", "both", "choice", "iso", "message", "render", "term",
]  # fmt: skip
