"""/docs: the OpenAPI document as one plain page. It asks no other machine for a script or a style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

JSON = "-H &#x27;content-type: application/json&#x27;"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h2 { margin-top: 2.5rem; border-top: 1px solid #d0d7de; padding-top: 1rem; font-size: 1.1rem }
h2 b { font: 700 .85rem ui-monospace, monospace; background: #0b5394; color: #fff;
  padding: .2rem .5rem; border-radius: 4px }
code, pre { font: .9rem ui-monospace, monospace; background: #f6f8fa; border-radius: 4px } code { padding: .1rem .3rem }
pre { padding: .8rem; overflow-x: auto } td { padding: .15rem 1rem .15rem 0; vertical-align: top } table { border: 0 }
"""


def page(document: Mapping[str, Any]) -> str:
    """The page for an OpenAPI document."""
    info = document["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    body = "\n".join(_body(document))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1><p>{_prose(info['description'])}</p>"
        f'<p>For machines: <a href="/openapi.json">openapi.json</a></p>\n{body}</html>'
    )


def _prose(text: str) -> str:
    """Escaped; what stands in backticks is code, as other readers of OpenAPI show it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _body(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            yield f"<h2><b>{method.upper()}</b> <code>{escape(path)}</code></h2>"
            yield f"<p>{_prose(call.get('summary', ''))}</p>"
            yield from _parameters(call.get("parameters", ()))
            yield from _example(path, method, call)
            yield f"<p>Gives: {_prose(call['responses']['200']['description'])} {_schema(call)}</p>"


def _parameters(parameters: Any) -> Iterator[str]:
    if not parameters:
        return
    yield "<table>"
    for one in parameters:
        about = [one.get("description", ""), f"e.g. {one['examples'][0]}" if one.get("examples") else ""]
        needed = "required" if one.get("required") else f"default {json.dumps(one['schema'].get('default'))}"
        said = _prose(". ".join(word for word in about if word))
        yield f"<tr><td><code>{escape(one['name'])}</code><td>{needed}<td>{said}"
    yield "</table>"


def _example(path: str, method: str, call: Mapping[str, Any]) -> Iterator[str]:
    content = call.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        sent = json.dumps(content["example"])
        yield f"<pre>curl -s localhost:8000{escape(path)} {JSON} -d '{escape(sent)}'</pre>"
    elif method == "get" and "{" not in path:
        yield f"<pre>curl -s 'localhost:8000{escape(path)}'</pre>"


def _schema(call: Mapping[str, Any]) -> str:
    content = next(iter(call["responses"]["200"]["content"].values()))
    shape = content["schema"]
    name = (shape.get("items") or shape).get("$ref", "").rpartition("/")[2]
    return f"(<code>{escape(name)}</code>{', an array' if 'items' in shape else ''})" if name else ""
