"""The change log and the triggers that fill it.

The triggers name key and unique columns only (one that named others would make the user's DROP COLUMN fail). With
recursive_triggers off, as it is by default, `INSERT OR REPLACE` and `UPDATE OR REPLACE` delete rows without firing
their delete trigger, so a BEFORE trigger logs the keys of all rows that stand in the way. Logging too many keys is
harmless: a logged key only means "look at this row again".
"""

import re

from gateway.capture.port import CapturedTable
from gateway.capture.sqlite.index_sql import words
from gateway.capture.sqlite.schema import OWN, TableShape, UniqueKey, quoted

CHANGES, SOURCE = f"{OWN}changes", f"{OWN}source"
_NOW_MS = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"
_INSTALLED = re.compile(r"/\* installed at \d+ \*/")


def change_log_sql(key_columns: int) -> list[str]:
    """Tables of a source that is attached. `sequence` has no gaps: it is one above the highest, which is never
    removed."""
    keys = ", ".join(f"k{place}" for place in range(max(1, key_columns)))
    return [
        f"CREATE TABLE IF NOT EXISTS {CHANGES} (sequence INTEGER PRIMARY KEY, name TEXT, at_ms INTEGER, {keys})",
        f"CREATE TABLE IF NOT EXISTS {SOURCE} "
        "(identity TEXT, incarnation INTEGER, replaces TEXT, folder TEXT, file TEXT)",
    ]


def triggers(table: CapturedTable, shape: TableShape) -> dict[str, str]:
    """Name -> text of every trigger that the table needs."""
    name, on = f"{OWN}{table.name}", quoted(shape.name)
    standing = [
        statement for unique in _conflicts(table, shape) if (statement := _standing_in_the_way(table, shape, unique))
    ]
    made = {
        f"{name}_insert": f"AFTER INSERT ON {on} BEGIN {_log(table, 'NEW')}",
        f"{name}_delete": f"AFTER DELETE ON {on} BEGIN {_log(table, 'OLD')}",
        f"{name}_update": f"AFTER UPDATE ON {on} BEGIN {_log(table, 'NEW')} {_log(table, 'OLD', _differs(table.key))}",
    }
    if standing:
        made[f"{name}_replace"] = f"BEFORE INSERT ON {on} BEGIN " + " ".join(insert for insert, _ in standing)
        made[f"{name}_displace"] = f"BEFORE UPDATE ON {on} BEGIN " + " ".join(update for _, update in standing)
    return {trigger: f"CREATE TRIGGER {quoted(trigger)} {text} END" for trigger, text in made.items()}


def stamped(sql: str, version: int) -> str:
    """The text to install: it says at which schema version, so that triggers that went and came back are told apart."""
    return sql.replace(" BEGIN ", f" BEGIN /* installed at {version} */ ", 1)


def same_trigger(installed: str, wanted: str) -> bool:
    return _INSTALLED.sub("", installed).replace("  ", " ") == wanted


def _log(table: CapturedTable, row: str, condition: str = "") -> str:
    values = ", ".join(f"{row}.{quoted(column)}" for column in table.key)
    return f"INSERT INTO {_target(table)} SELECT {_literal(table.name)}, {_NOW_MS}, {values}{condition};"


def _target(table: CapturedTable) -> str:
    return f"{CHANGES}(name, at_ms, {', '.join(f'k{place}' for place in range(len(table.key)))})"


def _differs(columns: tuple[str, ...]) -> str:
    """Byte for byte: a key that changes its case only, in a NOCASE column, is another key."""
    return " WHERE " + " OR ".join(f"NEW.{quoted(name)} IS NOT OLD.{quoted(name)} COLLATE BINARY" for name in columns)


def _conflicts(table: CapturedTable, shape: TableShape) -> list[UniqueKey]:
    """The unique keys by which a REPLACE may delete a row whose key is not the new row's key."""
    by_row_id = [UniqueKey((shape.row_id,), ("BINARY",))] if shape.row_id and not shape.integer_key else []
    return by_row_id + [unique for unique in shape.unique if not _is_key(table, unique)]


def _is_key(table: CapturedTable, unique: UniqueKey) -> bool:
    binary = all(collation.upper() == "BINARY" for collation in unique.collations)
    return binary and {name.lower() for name in unique.columns} == {name.lower() for name in table.key}


def _standing_in_the_way(table: CapturedTable, shape: TableShape, unique: UniqueKey) -> tuple[str, str] | None:
    """(statement for BEFORE INSERT, for BEFORE UPDATE) that log the rows which have the new row's unique values."""
    matches, changes = [], []
    for place, (column, collation) in enumerate(zip(unique.columns, unique.collations, strict=True)):
        if column:
            old, new = f"OLD.{quoted(column)}", f"NEW.{quoted(column)}"
            matches.append(f"standing.{quoted(column)} = {new} COLLATE {quoted(collation)}")
        else:
            if place >= len(unique.terms):
                return None
            term = unique.terms[place]
            old, new = _evaluated(term, shape, "OLD"), _evaluated(term, shape, "NEW")
            matches.append(f"({term}) = {new} COLLATE {quoted(collation)}")
        changes.append(f"{new} IS NOT {old} COLLATE BINARY")
    if unique.condition:
        matches.append(f"({unique.condition})")
        changes = []  # the row may come under the condition by any of its columns
    values = ", ".join(f"standing.{quoted(column)}" for column in table.key)
    insert = (
        f"INSERT INTO {_target(table)} SELECT {_literal(table.name)}, {_NOW_MS}, {values} "
        f"FROM {quoted(shape.name)} AS standing WHERE {' AND '.join(matches)}"
    )
    return f"{insert};", f"{insert} AND ({' OR '.join(changes)});" if changes else f"{insert};"


def _evaluated(term: str, shape: TableShape, row: str) -> str:
    """The expression over OLD or NEW: its text, where its names mean the columns of that row."""
    used = words(term)
    columns = ", ".join(f"{row}.{quoted(name)} AS {quoted(name)}" for name in shape.columns if name.lower() in used)
    return f"(SELECT {term} FROM (SELECT {columns or '1'}))"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
