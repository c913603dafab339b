"""Why a table can't be captured as the database is now, in words that say what to do."""

from typing import NamedTuple

from gateway.capture.port import CapturedTable
from gateway.capture.sqlite.reads import key_is_unique
from gateway.capture.sqlite.schema import Schema, TableShape
from proto.flows.paths import nearest

KEY_COLUMNS_MAX = 16


class Obstacle(NamedTuple):
    """Why a table can't be captured, and what to do about it; neither with a full stop."""

    why: str
    mend: str

    def sentences(self) -> str:
        """Both, for whoever reads why a table is parked."""
        stop = "" if self.why.endswith("?") else "."
        return f"{self.why}{stop} {self.mend[0].upper()}{self.mend[1:]}."


def obstacle(table: CapturedTable, schema: Schema, shape: TableShape | None) -> Obstacle | None:
    """None: it can be captured. shape: of the table as it is now; None: there is no such table."""
    entry = f"[tables.{table.name}]"
    if shape is None:
        return Obstacle(
            f"table {table.source_table!r} is not in the database (dropped or renamed); "
            f"{nearest(table.source_table, schema.tables())}",
            f"change `source` of {entry} in the flows file, take the entry out, or bring the table back",
        )
    if shape.kind != "table":
        return Obstacle(
            f"{table.source_table!r} is a {shape.kind}, which has no triggers", f"change `source` of {entry} to a table"
        )
    known = {name.lower() for name in shape.columns} | ({shape.row_id} if shape.row_id else set())
    gone = [name for name in table.columns if name.lower() not in known]
    if gone:
        return _columns_gone(table, shape, gone, entry)
    if len(table.key) > KEY_COLUMNS_MAX:
        return Obstacle(
            f"the key of {entry} has {len(table.key)} columns; at most {KEY_COLUMNS_MAX} can be kept",
            "change its `key`",
        )
    if not key_is_unique(table, shape):
        return _key_not_unique(table, shape, entry)
    return None


def _columns_gone(table: CapturedTable, shape: TableShape, gone: list[str], entry: str) -> Obstacle:
    used = {name.lower() for name in table.columns}
    unused = [name for name in shape.columns if name.lower() not in used]
    columns = ", ".join(repr(name) for name in gone)
    others = (
        f"it has, not used so far: {', '.join(unused[:12])}"
        if unused
        else "it has no columns that are not used already"
    )
    return Obstacle(
        f"column {columns} of table {table.source_table!r} is gone (dropped or renamed); {others}",
        f"change the name in `columns` of {entry} in the flows file (and where fields read it), take it out, or bring "
        "the column back",
    )


def _key_not_unique(table: CapturedTable, shape: TableShape, entry: str) -> Obstacle:
    if shape.primary_key:
        hint = f"its primary key is ({', '.join(shape.primary_key)})"
    elif shape.row_id:
        hint = (
            f'it has no primary key: declare one, or use key = "{shape.row_id}" (a VACUUM may then renumber its rows, '
            "and all of them are compared again)"
        )
    else:
        hint = "declare a primary key"
    return Obstacle(
        f"nothing keeps the key ({', '.join(table.key)}) of table {table.source_table!r} unique; {hint}",
        f"change `key` of {entry} in the flows file, or create a unique index on it",
    )
