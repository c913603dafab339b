"""`adsindex config`: settings as they are in effect."""

import os
from typing import Annotated

from cyclopts import App, Parameter

from ops.cli import render
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.settings import SETTINGS_FILE, load_settings
from proto.errors import SettingsError

config = App(name="config", help="Settings.", help_format="plaintext")

Overrides = Annotated[
    tuple[str, ...],
    Parameter(name="--set", negative_iterable=(), show_default=False, help="NAME=VALUE, as in `run --set`."),
]


@config.command
def show(*, overrides: Overrides = (), data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show every setting: its value, its unit, and where it comes from. Secrets are masked.

    For example:

        adsindex config show
        ADSINDEX_GATEWAY__UNIT_ROWS_MAX=50000 adsindex config show --json
    """
    effective = load_settings(data, os.environ, parsed_overrides(overrides)).effective
    if json:
        render.print_json([setting._asdict() for setting in effective])
        return OK
    rows = [(one.name, render.shown(one.value), one.unit, one.origin, one.description) for one in effective]
    styles = ["" if one.origin == "default" else "bold" for one in effective]
    render.print_table(("setting", "value", "unit", "from", ""), rows, right=(1,), styles=styles)
    render.print_line("")
    render.print_line(
        f"file: {data / SETTINGS_FILE}   environment: ADSINDEX_GATEWAY__UNIT_ROWS_MAX=...   command line: --set"
    )
    return OK


def parsed_overrides(overrides: tuple[str, ...]) -> dict[str, str]:
    """`("gateway.trim_rows=5",)` -> a mapping. Raises SettingsError."""
    wrong = [text for text in overrides if "=" not in text]
    if wrong:
        raise SettingsError(f"--set {wrong[0]}: write --set NAME=VALUE")
    return {name: value for name, _, value in (text.partition("=") for text in overrides)}
