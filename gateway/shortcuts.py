"""Short cuts: some columns of some tables also go straight to a topic of their own, in the durable group of their
unit, so that neither is there without the other.

A message carries the source's position, by which consumers tell late rows from new ones. Rows that a comparison only
misses (a span without them) have no message: nothing was read of them. Garbage: the topic's newest messages stay, the
others go by retention.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from proto.errors import InvalidMessageError
from proto.events import ShortcutRow, TableRows, encode
from proto.flows.model import Flows, Shortcut, Table
from proto.ports.log import Log
from proto.values import coerce


class _Way(NamedTuple):
    """One short cut, with the types of its table's key and of its columns."""

    shortcut: Shortcut
    key: tuple[str, ...]
    types: dict[str, str]


class Shortcuts:
    """Those of one source. Costs nothing where a flows file has none."""

    def __init__(self, source: str, flows: Flows, log: Log) -> None:
        self._source, self._log = source, log
        self._ways: dict[str, list[_Way]] = {}
        for shortcut in flows.shortcuts.values():
            table = flows.tables[shortcut.table]
            self._ways.setdefault(table.name, []).append(_way(shortcut, table))

    def send(self, tables: Iterable[TableRows], version: tuple[int, int], commit_ms: float, capture_ms: float) -> None:
        """Rows that were read, and keys that are gone, as of version = (incarnation, position). To be called within
        the group of the unit.

        A row whose key, or whose column here, has a bad value is left out; the updater makes a dead letter of it.
        """
        for rows in tables if self._ways else ():
            for way in self._ways.get(rows.table, ()):
                messages = [
                    encode(ShortcutRow(rows.table, self._source, key, *version, columns, commit_ms, capture_ms))
                    for key, columns in _touched(way, rows)
                ]
                if messages:
                    topic = way.shortcut.topic
                    self._log.append(topic, self._log.partition_of(topic, self._source), messages)


def _touched(way: _Way, rows: TableRows) -> Iterator[tuple[list[Any], dict[str, Any] | None]]:
    """(key, columns) of every row that can be told of. Columns that the rows lack are left out."""
    places = [(name, rows.columns.index(name)) for name in way.types if name in rows.columns]
    for row in rows.rows:
        stored = _stored(way, {name: row[place] for name, place in places})
        if stored is not None:
            columns = {name: stored[name] for name in way.shortcut.columns if name in stored}
            yield [stored[name] for name in way.key], columns
    for key in rows.deleted:
        stored = _stored(way, dict(zip(way.key, key, strict=True)))
        if stored is not None:
            yield list(stored.values()), None


def _way(shortcut: Shortcut, table: Table) -> _Way:
    wanted = dict.fromkeys((*table.key, *shortcut.columns))
    return _Way(shortcut, table.key, {name: table.columns[name].type for name in wanted})


def _stored(way: _Way, values: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return {name: coerce(way.types[name], value) for name, value in values.items()}
    except InvalidMessageError:
        return None
