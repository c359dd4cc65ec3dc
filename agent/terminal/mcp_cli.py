"""`pa mcp`: the door for MCP clients, over standard input and output."""

from __future__ import annotations

import logging
import sys

import anyio
from typer import Option

from agent.drafts.drafting import drafter
from agent.terminal.common import AskPlan, AsOf, opened
from tools.common.errors import Unavailable


def mcp(
    patient: str = Option("", metavar="ID", help="The patient whom the connection is about, e.g. P001."),
    as_of: AsOf = "",
    plan: AskPlan = "",
) -> None:
    """Let an MCP client ask about one patient, over standard input and output."""
    try:
        from agent.toolbox.mcp_server import over_stdio, serve
    except ImportError:
        raise Unavailable("`pa mcp` needs the MCP SDK: pip install 'paladin-pa[mcp]'") from None

    settings, store = opened()
    server = serve(
        store, patient_id=patient, as_of=settings.day(as_of), plan_id=plan, draft=drafter(store, settings)
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)  # standard output is the protocol's
    anyio.run(over_stdio, server)
