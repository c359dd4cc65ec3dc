"""What notes say, quoted: the latest one, or the sentences that hold the question's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from itertools import islice

from agent.answers.chart.page import MOST_QUOTES, Page
from tools.domain.records import Note
from tools.terminology.matcher import loose_matches
from tools.terminology.observations import TESTS
from tools.terminology.quantities import quantities_in

MOST_SENTENCES = 14  # of the latest note
ONLY_TOLD = "A value that only a note tells is no result: it counts once its report is on file"
_ENDING = re.compile("(?:ing|ed|es|s)$")
LONGEST_QUOTE = 280  # characters of a note that are quoted at once


def say_notes(page: Page) -> None:
    """The last note, or what notes say of something."""
    notes = _newest_first(page)
    if not notes:
        page.say("No note is on record.")
        return
    page.reply.general = True
    if search_notes(page):
        return
    last, sentences = notes[0], sentences_of(notes[0])
    page.say(f"The latest is {note_told(page, last)}:")
    for sentence in sentences[:MOST_SENTENCES]:
        page.say(f"“{sentence_told(page, last, sentence)}”", bullet=True)
    if len(sentences) > MOST_SENTENCES:
        more = page.number(len(sentences) - MOST_SENTENCES, "sentences not shown")
        page.say(f"{more} more sentences", bullet=True)


def search_notes(page: Page) -> bool:
    """Sentences of notes that hold the question's own words, quoted; False if none does."""
    asked = re.findall(r"[a-z][a-z'-]{2,}", page.ask.text.casefold())
    words = [_ENDING.sub("", word) if len(word) > 5 else word for word in asked if word not in _ASKING]
    patterns = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in words]
    telling = [one for one in patterns if len(one.pattern) > 6]
    return bool(words) and (
        quote_notes(page, lambda sentence: all(one.search(sentence) for one in patterns), "A note says")
        or quote_notes(page, lambda sentence: any(one.search(sentence) for one in telling), "A note says")
    )


def quote_notes(page: Page, fits: Callable[[str], bool], lead: str) -> bool:
    """The sentences that fit, of the latest notes first, and whether there is one."""
    fitting = ((note, one) for note in _newest_first(page) for one in sentences_of(note) if fits(one))
    found = [*islice(fitting, MOST_QUOTES)]
    for note, sentence in found:
        quote = f"{lead} ({note_told(page, note)}): “{sentence_told(page, note, sentence)}”"
        page.say(quote, verbatim=True)
        if reports_a_value(page, sentence):
            page.say(f"{ONLY_TOLD}.")
    return bool(found)


def _newest_first(page: Page) -> list[Note]:
    return sorted(page.patient.notes, key=lambda one: one.date or date.min, reverse=True)


def sentence_told(page: Page, note: Note, sentence: str) -> str:
    page.cite(note.id, sentence, note=True)
    return page.fact("quote", sentence, "note", note.id)


def reports_a_value(page: Page, sentence: str) -> bool:
    """Whether a sentence names a value of a test that no record of the chart holds."""
    for span in loose_matches(sentence):
        key = span.concept.removeprefix("test:")
        if span.kind != "test" or key not in TESTS:
            continue
        test, charted = TESTS[key], {one.value for one in page.patient.observations_by_test.get(key, ())}
        for told in quantities_in(sentence):
            within = told.value is not None and told.unit and test.low <= told.value <= test.high
            if within and told.unit in test.units and told.value not in charted:
                return True
    return False


def note_told(page: Page, note: Note) -> str:
    kind = page.words(note.type, "note", note.id)
    when = f" of {page.day(note.date, 'note', note.id)}" if note.date else ""
    by = f" by {page.fact('name', note.author, 'author', note.id)}" if note.author else ""
    return f"the {kind}{when}{by}"


def sentences_of(note: Note) -> list[str]:
    """A note's sentences, verbatim; a very long one in its first part. The number of an item is no sentence."""
    parts = re.split(r"\n+|(?<=[.!?;])(?<!\s\d\.)\s+(?=[A-Z])", note.text)
    return [part.strip()[:LONGEST_QUOTE] for part in parts if part.strip()]


_ASKING = frozenset(
    """the and for any are was were did does has have had his her him she they their what when where which who how why
    chart record records note notes mention mentions mentioned say says said anything something about find search look
    show read last latest newest recent visit patient with that this there can could you please tell give from into out
    doctor telephone progress written wrote documented documentation document been being still ever not its it's also
    know see let list all now today pull check whether his's her's telling me my our your office most just more get
    got pt his/her on""".split()  # noqa: SIM905
)
