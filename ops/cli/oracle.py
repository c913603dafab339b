"""`adsindex oracle`: which oracle leads, and how much its rounds hold."""

import os
from typing import Any

from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.extras import needing
from ops.settings import load_settings


def oracle(*, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show which timestamp oracle leads, since which timestamp, and what comes together in its rounds.

    For example:

        adsindex oracle --data adsindex-data
        adsindex oracle --json

    Exit code 1: none leads.
    """
    asked = needing("hbase,rpc", "ops.wiring.oracle_status")
    status: dict[str, Any] = asked.oracle_status(load_settings(data, os.environ).settings, data)
    if json:
        render.print_json(status)
    elif not status["leads"]:
        render.print_problem(f"no oracle leads: {status['problem']}")
    else:
        render.print_line(f"oracle at {status['address']}: leads, from timestamp {status['epoch']} on")
        rows = [
            (name, f"{sizes['count']:,}", f"{sizes['mean']:,.1f}", f"{sizes['max']:,}")
            for name, sizes in status["rounds"].items()
        ]
        render.print_table(("a round holds", "rounds", "mean", "max"), rows, right=(1, 2, 3))
    return OK if status["leads"] else WRONG
