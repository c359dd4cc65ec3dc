"""The page of a year: figures, plots, and every difference, in one file that needs nothing else."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.plots import GREY, OURS, THEIRS, THIRD, drawing, svg
from evals.simulate.figures import plan_rows, rows, waits
from evals.simulate.records import Year

WIDTH = 7.4  # inches


def plots(year: Year) -> list[tuple[str, str]]:
    """Title and SVG of each that there is something to show for."""
    drawn = (
        ("Approved at once, of what was sent", _first_pass(year)),
        ("People on therapy, by days since their order", _therapy(year)),
        ("What became of the orders, by month of the order", _months(year)),
        ("Appeals and renewals", _appeals(year)),
    )
    return [(title, plot) for title, plot in drawn if plot]


def _first_pass(year: Year) -> str:
    of_each = year.figures["by_plan"].items()
    plans = [(plan, sides) for plan, sides in of_each if sides["paladin"]["submitted"]]
    if not plans:
        return ""
    figure, axes = drawing(WIDTH, height=0.42 * len(plans) + 0.9)
    for place, (_, sides) in enumerate(plans):
        for at, (side, colour) in enumerate((("paladin", OURS), ("baseline", THEIRS))):
            share, sent = sides[side]["first_pass"], sides[side]["submitted"]
            y = place + (at - 0.5) * 0.38
            name = ("Paladin", "sends everything")[at] if not place else ""
            axes.barh(y, share or 0, 0.34, color=colour, label=name)
            said = f"{share:.0%} of {sent}" if share is not None else "none sent"
            axes.text((share or 0) + 0.01, y, said, va="center", fontsize=7)
    axes.set_yticks(range(len(plans)), [plan for plan, _ in plans])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    above = (0.5, 1.12 if len(plans) > 4 else 1.35)
    axes.legend(loc="upper center", bbox_to_anchor=above, ncols=2, frameon=False)
    return svg(figure)


def _therapy(year: Year) -> str:
    figure, axes = drawing(WIDTH)
    sides = (("Paladin", year.matters, OURS), ("sends everything", year.baseline, THEIRS))
    for name, matters, colour in sides:
        days = sorted(waits(matters))
        if days:
            axes.step([0, *days], range(len(days) + 1), where="post", color=colour, label=name)
    axes.set_xlabel("days from order to therapy")
    axes.set_ylabel("people")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="lower right")
    return svg(figure)


def _months(year: Year) -> str:
    orders = [m for m in year.matters if not m.instead_of]
    months = sorted({m.ordered.strftime("%Y-%m") for m in orders})
    changed = {m.instead_of for m in year.matters if m.instead_of and m.started}
    kinds = (("on the drug", OURS), ("on another drug", THIRD), ("neither", "#d1d5db"))
    became = [
        (m.ordered.strftime("%Y-%m"), 0 if m.started else 1 if m.number in changed else 2) for m in orders
    ]
    figure, axes = drawing(WIDTH)
    base = [0] * len(months)
    for place, (label, colour) in enumerate(kinds):
        counts = [became.count((month, place)) for month in months]
        axes.bar(range(len(months)), counts, 0.7, bottom=base, color=colour, label=label)
        base = [one + more for one, more in zip(base, counts, strict=True)]
    axes.set_xticks(range(len(months)), [month[2:] for month in months], fontsize=8)
    axes.set_ylabel("orders")
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.14))
    return svg(figure)


def _appeals(year: Year) -> str:
    found, again = year.figures["paladin"], year.figures["renewals"]
    won, lost, approved = found["appeals_won"], found["appeals_lost"], again["approved_at_once"]
    others = max(again["due"] - approved - again["not_renewed"], 0)
    rows = {
        "appeals": {"won": won, "lost": lost, "open": found["appeals_filed"] - won - lost},
        "renewals": {"approved at once": approved, "given up": again["not_renewed"], "other": others},
    }
    figure, axes = drawing(WIDTH, height=1.7)
    for place, parts in enumerate(rows.values()):
        left = 0
        for (label, count), colour in zip(parts.items(), (OURS, THEIRS, GREY), strict=True):
            if count:
                axes.barh(place, count, 0.6, left=left, color=colour)
                said, middle = f"{label} {count}", left + count / 2
                axes.text(middle, place, said, ha="center", va="center", fontsize=7, color="white")
                left += count
    axes.set_yticks([0, 1], [*rows])
    axes.invert_yaxis()
    return svg(figure) if any(count for parts in rows.values() for count in parts.values()) else ""


def write_report(year: Year, folder: Path) -> tuple[Path, ...]:
    """`year.html` and `year.json`; the same year makes the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "year.html", folder / "year.json"
    page.write_text(page_of(year), encoding="utf-8")
    data.write_bytes(msgspec.json.format(msgspec.json.encode(year), indent=1) + b"\n")
    return page, data


def page_of(year: Year) -> str:
    found = year.figures
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )  # fmt: skip
    template = environment.get_template("page.html.j2")
    drawn = plots(year) if find_spec("matplotlib") else []
    shown = {"rows": rows(found), "plans": plan_rows(found, " of "), "plots": drawn}
    return template.render(year=year, found=found, **shown) + "\n"
