"""`adsindex run --role oracle`: a process of its own, beside those that work."""

import os
import sys
from pathlib import Path
from typing import Any

from ops.cli import render
from ops.cli.exit_codes import OK
from ops.engine import collector
from ops.engine.draining import draining
from ops.engine.loop import SWITCH_S
from ops.settings import load_settings
from ops.wiring.oracle import OracleRole


def run_oracle(data: Path, as_json: bool) -> int:
    """Until SIGTERM or Ctrl-C. Raises FencedError when another oracle has taken over while this one led."""
    said = ""

    def say(event: str, text: str, more: dict[str, Any]) -> None:
        nonlocal said
        if text == said:
            return
        said = text
        if as_json:
            render.print_json({"event": event, "text": text, **more})
        elif more.get("error"):
            render.print_problem(text)
        else:
            render.print_line(text)

    role = OracleRole(load_settings(data, os.environ).settings, data, say)
    sys.setswitchinterval(SWITCH_S)
    with draining(role.stop), collector.seldom():
        role.run()
    say("stop", "stopped: the next oracle may lead", {})
    return OK
