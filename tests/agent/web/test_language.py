"""The workspace in Spanish: each word of each template is in the catalogue, and no screen has an English label left."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from jinja2 import nodes

from agent.api.wire import PROBLEMS
from agent.batch.worklist import STAGES
from agent.cases.renewals import renewals
from agent.cases.worklist import OF_DRAFT, VIEWS
from agent.drafts.papers import TITLES
from agent.screening.summary import LISTS
from agent.web import wording
from agent.web.patients import KINDS
from tests.agent.conftest import Cases
from tests.agent.web.browser import Browser, Screen
from tests.agent.web.test_workspace import address, sent
from tools.denials.codes import REASONS
from tools.domain.records import Channel, ExceptionKind, Kind, Outcome, Sex, Signature
from tools.lifecycle.records import What
from tools.lifecycle.running import ClockKind
from tools.lifecycle.states import STATES
from tools.messages import page_words, voice
from tools.store import Store
from tools.store.rows import DraftStatus

TEMPLATES = sorted((Path(wording.__file__).parent / "templates").glob("*.html"))
SPANISH = page_words("es")
# Names and commands, which no language changes.
AS_THEY_ARE = {"· Paladin", "Paladin", "Ctrl", "Enter", "· NPI", "pa fhir import FOLDER"}
KEYS = [Outcome, Signature, Kind, ExceptionKind, Channel, Sex, DraftStatus, What]


def tree(template: Path) -> nodes.Template:
    return wording.pages("en").parse(template.read_text())


def messages(template: Path) -> set[str]:
    calls = tree(template).find_all(nodes.Call)
    named = [call for call in calls if getattr(call.node, "name", "") in ("_", "marked")]
    return {given.value for call in named for given in call.args if isinstance(given, nodes.Const)}


def slots(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.stem)
def test_each_word_of_a_template_stands_in_the_catalogue_with_its_values(template: Path) -> None:
    for text in messages(template) - {""}:
        assert text in SPANISH and slots(SPANISH[text]) == slots(text), text


def test_what_code_names_on_a_page_stands_in_the_catalogue() -> None:
    keys = [key.replace("_", " ") for kind in KEYS for key in get_args(kind)] + [
        one.replace("_", " ") for one in STATES
    ]
    titles = [title for _, title in PROBLEMS.values()] + [reason.title for reason in REASONS.values()]
    steps = [step for _, step in OF_DRAFT.values()] + [f"clock: {kind}" for kind in get_args(ClockKind)]
    lists = [*TITLES.values(), *VIEWS.values(), *LISTS.values(), *STAGES.values(), *KINDS.values()]
    assert not [text for text in (*keys, *titles, *steps, *lists) if text not in SPANISH]


class Texts(HTMLParser):
    """The texts between a template's elements, and what its attributes say to a reader."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = ("aria-label", "title", "data-label")
        self.found += [value or "" for name, value in attrs if name in said]

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:  # a style says nothing to a reader
            self.found.append(data.strip())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.stem)
def test_no_template_says_a_word_past_the_catalogue(template: Path) -> None:
    raw = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "0"
        for part in tree(template).find_all((nodes.TemplateData, nodes.Call, nodes.Filter))
    )
    beside = {text.strip("0 .·:") for text in Texts(raw).found} - {one.strip(" .·:") for one in AS_THEY_ARE}
    assert not [text for text in beside if sum(sign.isalpha() for sign in text) > 1]


LABELS = ("th", "label", "button", "h1", "h2", "h3", "summary", "option", "dt", "caption", "a", "b", "span")


class Labels(HTMLParser):
    """The texts of a page that are the whole of an element, without what is said to be in another language."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self.language, self.found, self._open = "", set[str](), ""
        self.feed(screen.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag if tag in LABELS and "lang" not in dict(attrs) else ""
        if tag == "html":
            self.language = dict(attrs)["lang"] or ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found.add(data.strip())


@pytest.fixture
def screens(browser: Browser, cases: Cases, draft: Screen) -> list[Screen]:
    """One of each screen that a person comes to, in Spanish."""
    case, other = cases["ready"], cases["needs_documentation"]
    running = sent(browser, draft)
    talk = browser.send(
        browser.open(f"/patients/{case.patient_id}/chat"), "/chat", question=f"Can I get {case.drug}?"
    )
    browser.client.cookies.set(wording.COOKIE, "es")
    paths = (
        "/", "/?view=review", "/?owner=-", "/renewals?within=366", "/patients", "/patients?q=zzz",
        f"/patients/{case.patient_id}", f"/patients/{other.patient_id}", f"/patients/{case.patient_id}/check",
        address(case), address(other), f"{address(other)}?programme_months=6", address(cases["not_covered"]),
        draft.path, running.path, talk.path, "/batches", "/screen", "/models", "/import", "/policies",
        f"/policies/{case.found.plan_id}/{case.drug}?q=how+long", "/patients/P9999", "/?page=0",
    )  # fmt: skip
    return [browser.open(path) for path in paths]


def test_no_screen_has_an_english_label_left(screens: list[Screen]) -> None:
    english = {text for text, said in SPANISH.items() if said != text and said not in SPANISH}
    for screen in screens:
        labels = Labels(screen)
        assert labels.language == "es" and not labels.found & english, (screen.path, labels.found & english)


def test_a_determination_is_told_in_the_language_of_the_page(browser: Browser, cases: Cases) -> None:
    case = cases["needs_documentation"]
    told = {}
    for language in ("en", "es"):
        browser.client.cookies.set(wording.COOKIE, language)
        told[language] = browser.open(address(case)).text
    assert "needs documentation" in told["en"] and "Qué sigue" not in told["en"]
    assert "falta documentación" in told["es"] and "needs documentation" not in told["es"]
    clause = next(one.clause for one in case.found.findings if one.clause)
    assert all(clause.quote.split()[0] in text for text in told.values())  # a payer's words stay as they are


def test_what_becomes_of_a_renewal_is_told_in_the_language_of_the_page(
    browser: Browser, store: Store
) -> None:
    (first, *_) = renewals(store, None, lambda day: day + timedelta(days=366))
    browser.client.cookies.set(wording.COOKIE, "es")
    page = browser.open("/renewals?within=366").text
    assert first.says not in page and voice("es").says(first.told) in page
    assert all(voice("es").says(need.asks) in page for need in first.needs)


def test_whoever_signs_in_is_asked_in_their_language(browser: Browser) -> None:
    spanish = {"accept-language": "es-MX, en;q=0.5", "origin": "http://localhost"}
    page = browser.client.get("/sign-in", headers=spanish).text
    assert 'lang="es"' in page and "Contraseña" in page and "Password" not in page
    wrong = browser.client.post("/sign-in", data={"name": "<b>", "password": "x"}, headers=spanish)
    assert (
        wrong.status_code == 401
        and "no son correctos" in wrong.text
        and "{" not in wrong.text.partition("<main>")[2]
    )


def test_a_link_chooses_the_language_and_comes_back(browser: Browser) -> None:
    def language(**headers: str) -> str:
        return Labels(Screen(browser.client.get("/patients", headers=headers))).language

    assert language() == "en" and language(**{"accept-language": "fr, es-MX;q=0.8, en;q=0.5"}) == "es"
    came = browser.client.get("/language/es", headers={"referer": "http://localhost/patients?q=mar"})
    assert came.url.path == "/patients" and came.url.query == b"q=mar" and language() == "es"
    away = browser.client.get("/language/en", headers={"referer": "http://elsewhere/x"})
    assert away.url.path == "/" and language(**{"accept-language": "es"}) == "en"
    assert browser.client.get("/language/xx").status_code == 404
