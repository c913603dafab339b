"""`adsindex init`: a first flows file from the tables, keys and foreign keys of a database."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.capture.sqlite.schema import inspect
from ops.cli import render
from ops.cli.exit_codes import OK
from ops.cli.parameters import Json
from proto.errors import SettingsError
from proto.flows.writer import write_flows

DEFAULT_OUT = Path("flows.toml")


def init(
    *,
    source: Annotated[str, Parameter(help="The database, as SQLAlchemy takes it: sqlite:////srv/shop.db")],
    out: Annotated[
        Path, Parameter(allow_leading_hyphen=True, help="The file to write; - for standard output.")
    ] = DEFAULT_OUT,
    force: Annotated[bool, Parameter(negative=(), show_default=False, help="Replace a file that is there.")] = False,
    json: Json = False,
) -> int:
    """Write a first flows file from the tables, keys and foreign keys of a database.

    For example:

        adsindex init --source sqlite:///shop.db --out flows.toml
        adsindex run --source sqlite:///shop.db --data shop-data --flows flows.toml
    """
    tables = inspect(source)
    text = write_flows(tables)
    if str(out) == "-":
        render.print_text(text)
        return OK
    if out.exists() and not force:
        raise SettingsError(f"{out} is there already; pass --force to replace it, or --out FILE")
    out.write_text(text)
    if json:
        render.print_json({"file": str(out), "tables": [table.name for table in tables]})
    else:
        render.print_line(f"{out}: {len(tables)} tables. Look at it, then:")
        render.print_line(f"  adsindex run --source {source} --flows {out}")
    return OK
