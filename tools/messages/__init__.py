"""What the engine says, as codes with parameters, and the one catalogue that puts them into words.

`message.py` is what the engine makes, `actions.py` what can be done and by whom, `<language>/` the templates, and
`catalogue.py` renders them by the rules of `grammar.py`. A second language is a second folder, and
`voice.py` says all of one reader's messages in it.
"""

from tools.messages.actions import VISIT, Action, Actor, Effort, action, both, choice
from tools.messages.catalogue import (
    LANGUAGE,
    PATIENT,
    SAID,
    TASK,
    TEXT,
    language_named,
    language_of,
    languages,
    page_words,
    render,
    tells,
    term,
)
from tools.messages.message import Message, any_of, iso, message
from tools.messages.voice import Voice, voice

__all__ = [
    "LANGUAGE", "PATIENT", "SAID", "TASK", "TEXT", "VISIT", "Action", "Actor", "Effort", "Message", "Voice", "action",
    "any_of", "both", "choice", "iso", "language_named", "language_of", "languages", "message", "page_words", "render",
    "tells", "term", "voice",
]  # fmt: skip
