"""What is said where nothing is looked up: greetings, help, what is out of place, and questions back."""

from __future__ import annotations

import re

from agent.answers import refusals
from agent.answers.answer import Answer, Said
from agent.answers.wording import drug_slot
from agent.ledger import Ledger
from agent.understanding.known import Known
from agent.understanding.reading import REFUSED, Ask, Reading
from tools.bound import Bound
from tools.errors import nearest

MOST_NEAR = 3
_HELLO = re.compile(r"\b(?:hi|hello|hey|hiya|morning|afternoon|evening|howdy|hola)\b", re.IGNORECASE)
_THANKS = re.compile(
    r"\b(?:thanks?|thank you|thx|ty|cheers|appreciate|great|perfect|awesome|gracias|ok(?:ay)?)\b",
    re.IGNORECASE,
)
_BYE = re.compile(r"\b(?:bye|goodbye|see you|later|that's all|done|good night)\b", re.IGNORECASE)
_HOW = re.compile(
    r"how are you|how's it going|who are you|are you (?:a |an )?(?:bot|human|real|ai|person)|your name",
    re.IGNORECASE,
)
_LANGUAGES = (
    (re.compile(r"\b(?:el|la|los|qué|que|puede|tiene|necesita|paciente|cuánto|cuál|cómo|está|para|por favor|hola"
                r"|gracias|falta|faltan|ella|una|del|ya|aprobado|seguro|receta)\b", re.IGNORECASE),
     "Por ahora solo respondo en inglés; escriba, por favor, el nombre del medicamento y una pregunta breve."),
    (re.compile(r"\b(?:le|les|peut|est-ce|patiente?|pourquoi|combien|quel|quelle|bonjour|merci|elle|une|est|pour"
                r"|avec|manque|quoi|besoin|pas|sont|dossier)\b", re.IGNORECASE),
     "Je ne réponds qu'en anglais pour le moment; écrivez le nom du médicament et une question courte."),
    (re.compile(r"\b(?:der|das|kann|bekommt|bekommen|patientin|warum|wieviel|wie|welche|ist|danke|bitte|fehlt"
                r"|fehlen|noch|nicht|und|ich|sie|ihr|eine|einen|für|mit|wird|sind|brauchen|braucht)\b", re.IGNORECASE),
     "Ich antworte vorerst nur auf Englisch; schreiben Sie bitte den Namen des Mittels und eine kurze Frage."),
)  # fmt: skip
CAN = (
    "whether a drug would go through on this plan, and what is missing",
    "why each criterion stands as it does, with the policy's clause",
    "what if something changes: a new result, more days on a drug",
    "what the policy, the plan and the chart say: steps, copay, limits, dates, results",
    "which covered drugs the patient meets today",
    "a draft of the form and the letter for your review",
    "where a request or an appeal stands, and what is due",
    "what worked for similar patients",
)


def answer(
    ask: Ask, bound: Bound | None, ledger: Ledger, reading: Reading, known: Known | None = None
) -> Answer:
    """A short and kind word, or one question back with what is `offered`. `known` gives the names that are near an
    unknown one before a patient is bound."""
    reply = Answer(intent=ask.intent, ledger=ledger, drugs=tuple(ask.drugs))
    if ask.intent in REFUSED:
        return refusals.answer(ask, bound, ledger)
    if reading.strangers and not ask.drugs and ask.intent not in ("smalltalk", "help", "off_topic"):
        return _stranger(reply, reading, Known.of(bound.store) if bound is not None else known)
    if reading.candidates and not ask.drugs and ask.intent not in ("smalltalk", "help", "off_topic"):
        return _ambiguous(reply, reading)
    if ask.intent == "smalltalk":
        _say(reply, _smalltalk(ask.text, bound))
    elif ask.intent == "help":
        _help(reply, bound)
    elif ask.intent == "off_topic":
        _say(
            reply,
            "That is outside what I can help with; I know prior authorization of diabetes and obesity drugs.",
        )
        _say(reply, _invite(bound))
    elif ask.intent == "patient" and bound is not None:
        _bound_to(reply, bound)
    else:
        _unclear(reply, ask, bound)
    return reply


def _stranger(reply: Answer, reading: Reading, known: Known | None) -> Answer:
    """A word that stands where a drug would and is none of ours, with what is near."""
    ledger, word = reply.ledger, reading.strangers[0]
    name = ledger.add("words", word, origin="request", attribute="stranger", source="question")
    near: list[str] = []
    if known is not None:
        spelt = {**{one: one for one in known.names}, **known.brands}
        near = list(dict.fromkeys(spelt[one] for one in nearest(word, spelt, MOST_NEAR)))
    if near:
        offered = [drug_slot(ledger, one) for one in near]
        _say(reply, f"I do not know a drug {name}. Do you mean {_or(offered)}?")
        reply.offered = tuple(near)
    elif known is not None:
        _say(reply, f"I do not know a drug {name}, so I can say nothing about it.")
        _say(reply, f"I know {_and([drug_slot(ledger, one) for one in known.names])}.")
    else:
        _say(reply, f"I do not know a drug {name}.")
    return reply


def _ambiguous(reply: Answer, reading: Reading) -> Answer:
    names = [drug_slot(reply.ledger, one) for one in reading.candidates]
    _say(reply, f"Which one do you mean: {_or(names)}?")
    reply.offered = reading.candidates
    return reply


def _smalltalk(text: str, bound: Bound | None) -> str:
    if _HOW.search(text):
        return f"I am Paladin, an assistant for prior authorizations, and ready to help. {_invite(bound)}"
    if _BYE.search(text) and not _HELLO.search(text):
        return "Goodbye; the conversation is kept, and you can go on with it."
    if _THANKS.search(text) and not _HELLO.search(text):
        return (
            "You are welcome. Is there anything else about this case?"
            if bound
            else f"You are welcome. {_invite(bound)}"
        )
    return f"Hello. {_invite(bound)}"


def _invite(bound: Bound | None) -> str:
    if bound is None:
        return "Which patient is it about? Give a name, a birth date, a member id or a patient id."
    return "Ask me whether a drug would go through, what is missing, or what the policy says."


def _help(reply: Answer, bound: Bound | None) -> None:
    _say(reply, "I can tell you:")
    for line in CAN:
        _say(reply, line, bullet=True)
    if bound is None:
        _say(reply, _invite(bound))
    else:
        _say(reply, "I give no medical advice, submit nothing, and speak of no other patient here.")


def _bound_to(reply: Answer, bound: Bound) -> None:
    patient, ledger = bound.patient, reply.ledger
    name = ledger.add(
        "name", patient.name or patient.id, origin="chart", attribute="patient", source="patient"
    )
    code = ledger.add("code", patient.id, origin="chart", attribute="patient", source="patient")
    born = ""
    if patient.birth_date:
        born = f", born {ledger.add('date', patient.birth_date, origin='chart', attribute='birth', source='patient')}"
    _say(reply, f"This conversation is about {name} ({code}){born}.")
    _say(reply, "For another patient begin a new conversation: `/patient` with the id.")


def _unclear(reply: Answer, ask: Ask, bound: Bound | None) -> None:
    if ask.about == "empty":
        _say(reply, f"I got no question. {_invite(bound)}")
    elif ask.about == "long":
        _say(reply, "That is more than I can read at once. Please ask it in a sentence or two.")
    else:
        sentence = _other_language(ask.text)
        if sentence:
            _say(reply, sentence)
            return
        letters = [one for one in ask.text if one.isalpha()]
        if letters and sum(not one.isascii() for one in letters) > len(letters) / 2:
            _say(reply, "I read English only so far; please ask in English.")
            return
        _say(reply, f"I am not sure what you mean. {_invite(bound)}")


def _other_language(text: str) -> str:
    """That only English is answered, in the language that most of its small words are of; nothing if few are."""
    words = re.findall(r"[\w'-]+", text)
    counts = {sentence: len(set(pattern.findall(text.casefold()))) for pattern, sentence in _LANGUAGES}
    best = max(counts, key=lambda sentence: counts[sentence])
    return best if counts[best] >= max(2, len(words) // 6) else ""


def _say(reply: Answer, text: str, *, bullet: bool = False) -> None:
    reply.said.append(Said(text=text, verbatim=True, bullet=bullet))


def _or(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
