"""The report as one page that needs nothing else: the Markdown's tables and traces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from evals.report.markdown import anchor, report
from evals.scores.rows import Row
from evals.suites.session import About

BOLD = re.compile(r"[*][*](.+?)[*][*]")
LINK = re.compile(r"\[([\w. -]+)\]\(#([\w.-]+)\)")  # of this page alone
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2937;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h3{font-size:.95rem;margin:1.2rem 0 0}
h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #e5e7eb}
table{border-collapse:collapse;font-size:.85rem;display:block;overflow-x:auto}
td,th{border-bottom:1px solid #e5e7eb;padding:.25rem .6rem;text-align:left;white-space:nowrap}
blockquote{border-left:3px solid #d1d5db;margin:.4rem 0;padding:.1rem .8rem;color:#4b5563}
""".strip()


def page(about: About, rows: Sequence[Row]) -> str:
    """HTML with everything in it; what a model said stands there as text."""
    body = "\n".join(_html(report(about, rows)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Evals: {escape(about.name)}</title><style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _html(text: str) -> Iterator[str]:
    """Of Markdown, what the report uses: headings, tables, quotations and paragraphs."""
    for block in re.split(r"\n{2,}", text.strip()):
        if block.startswith("#"):
            level = len(block) - len(block.lstrip("#"))
            title = block.lstrip("# ")
            yield f'<h{level} id="{anchor(title)}">{escape(title)}</h{level}>'
        elif block.startswith("|"):
            yield _table(block)
        elif block.startswith("> "):
            yield f"<blockquote>{escape(block[2:])}</blockquote>"
        else:
            said = LINK.sub(r'<a href="#\2">\1</a>', BOLD.sub(r"<strong>\1</strong>", escape(block)))
            yield f"<p>{said}</p>"


def _table(block: str) -> str:
    rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in block.splitlines()]
    cells = [[escape(cell.strip().replace("\\|", "|")) for cell in row] for row in rows]
    head = "".join(f"<th>{cell}</th>" for cell in cells[0])
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells[2:])
    return f"<table><tr>{head}</tr>{body}</table>"
