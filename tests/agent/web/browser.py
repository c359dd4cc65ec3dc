"""A browser as far as these tests need one: it reads a page's forms and links, and sends a form as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

HERE = "http://localhost"
LEADING = (
    "href",
    "src",
    "action",
    "data",
    "formaction",
    "hx-get",
    "hx-post",
    "xlink:href",
    "srcset",
    "poster",
)
VOID = {"input", "meta", "link", "br", "hr", "img", "line", "rect", "circle", "path", "polyline"}


@dataclass
class Form:
    """Where it leads, and what stands in its fields."""

    action: str
    method: str
    files: bool
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class Screen(HTMLParser):
    """A page that came back: status, headers, its text, and what a browser would do with it."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.status, self.headers, self.html = answer.status_code, answer.headers, answer.text
        self.path = answer.url.path
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self.ids: list[str] = []
        self._words: list[str] = []
        self._open: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._select: tuple[Form, str] | None = None
        self._option: str | None = None
        self._raw = ""
        self.feed(answer.text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    @property
    def leads(self) -> list[str]:
        """Every address that the page names, for a link, a file or a request."""
        return [value for _, attributes in self.tags for name, value in attributes.items() if name in LEADING]

    def form(self, ending: str, **having: str) -> Form:
        """The first form whose action ends so, and in which these fields stand."""
        found = [
            form
            for form in self.forms
            if form.action.endswith(ending) and having.items() <= form.fields.items()
        ]
        assert found, f"no form to {ending} with {having} among {[form.action for form in self.forms]}"
        return found[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag in ("script", "style"):
            self._raw = tag
        if tag == "form":
            made = Form(
                attributes.get("action", ""), attributes.get("method", "get"), "enctype" in attributes
            )
            self.forms.append(made)
            self._open.append(made)
            if "id" in attributes:
                self._by_id[attributes["id"]] = made
        elif tag in ("input", "select", "textarea", "button"):
            self._enter(tag, attributes)
        elif tag == "option" and self._select:
            form, name = self._select
            value = attributes.get("value")
            if "selected" in attributes or name not in form.fields:
                form.fields[name] = value if value is not None else ""
                self._option = name if value is None else None

    def _enter(self, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        owner = self._by_id.get(attributes.get("form", "")) or (self._open[-1] if self._open else None)
        if not name or owner is None or tag == "button":
            return
        owner.names.add(name)
        if tag == "select":
            self._select = (owner, name)
        elif tag == "input" and attributes.get("type") in ("checkbox", "radio"):
            if "checked" in attributes:
                owner.fields[name] = attributes.get("value", "on")
        elif attributes.get("type") != "file":
            owner.fields[name] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open:
            self._open.pop()
        elif tag == "select":
            self._select = None
        elif tag == "option":
            self._option = None
        elif tag == self._raw:
            self._raw = ""

    def handle_data(self, data: str) -> None:
        if self._option and self._select:
            self._select[0].fields[self._option] += data
        if self._raw:
            assert not data.strip(), f"an inline {self._raw}"
        else:
            self._words.append(data)


class Browser:
    """Opens pages and sends forms, as a person with a page of ours before them."""

    def __init__(self, client: Any, origin: str = HERE) -> None:
        self.client, self.origin = client, origin

    def open(self, path: str, *, part: bool = False) -> Screen:
        headers = {"hx-request": "true"} if part else {}
        return Screen(self.client.get(path, headers=headers))

    def send(
        self,
        screen: Screen,
        ending: str,
        *,
        having: dict[str, str] | None = None,
        file: Any = None,
        **filled: str,
    ) -> Screen:
        """Fill in a form of this screen and send it; a field that the form does not have is no field."""
        form = screen.form(ending, **(having or {}))
        names = {name.replace("__", "."): value for name, value in filled.items()}
        assert names.keys() <= form.names, f"{names.keys() - form.names} is not in the form to {form.action}"
        data = {**form.fields, **names}
        if form.method == "get":
            return Screen(self.client.get(form.action, params=data))
        files = {"file": file} if file else {"file": ("", b"")} if form.files else None
        return Screen(self.client.post(form.action, data=data, files=files, headers={"origin": self.origin}))
