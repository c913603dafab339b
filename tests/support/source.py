"""An SQLite source with a gateway on it, and a mirror that applies its units as the updater does."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.processor import Gateway
from gateway.settings import GatewaySettings
from ops.brokers.memory import MemoryLog
from proto.codec import encode_key
from proto.errors import InvalidMessageError
from proto.events import UPDATES, TableRows, Unit, decode_unit, lane_topic
from proto.flows.model import Column, Flows, Table
from proto.lane import Lane
from proto.ports.log import Log
from proto.values import coerce

SOURCE = "shop"
Raw = tuple[Any, ...]


class StillClock:
    """Time stands until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_000.0

    def now_ms(self) -> float:
        return self.ms

    def monotonic_ms(self) -> float:
        return self.ms


def table(
    name: str, columns: Mapping[str, str], key: Sequence[str] = ("id",), lane: Lane = Lane.HIGH, **more: Any
) -> Table:
    """A table of the flows file: columns is name -> type."""
    made = {column: Column(column, kind, lane) for column, kind in columns.items()}
    return Table(name, more.pop("source_table", name), tuple(key), made, {}, {}, lane, **more)


def flows_of(*tables: Table) -> Flows:
    return Flows({one.name: one for one in tables}, {}, 1)


class Mirror:
    """Rows by table and encoded key, each with its version; None: gone. units: all that were applied, in order."""

    def __init__(self, flows: Flows, log: Log) -> None:
        self.flows, self.log = flows, log
        self.units: list[Unit] = []
        self.rows: dict[str, dict[bytes, tuple[tuple[int, int], Raw | None]]] = {}
        self.parked: dict[str, str] = {}
        self.applied: dict[int, int] = {}
        self._incarnation = 0
        self._next = dict.fromkeys(Lane, 0)
        self._parts: list[TableRows] = []

    def pull(self) -> list[Unit]:
        """Applies what has arrived, lanes in order, each unit when its turn has come; the new ones."""
        begin = len(self.units)
        while sum(self._pull_one(lane) for lane in Lane):
            pass
        return self.units[begin:]

    def values(self, name: str) -> list[Raw]:
        """The rows that are there, sorted."""
        return sorted((row for _, row in self.rows.get(name, {}).values() if row is not None), key=repr)

    def _pull_one(self, lane: Lane) -> bool:
        topic = lane_topic(UPDATES, lane)
        partition = self.log.partition_of(topic, SOURCE)
        messages = self.log.read(topic, partition, self._next[lane], 1)
        if not messages:
            return False
        unit = decode_unit(messages[0].value)
        if unit.incarnation > self._incarnation:
            self._incarnation, self.applied = unit.incarnation, {}
        higher = max((self.applied.get(above, 0) for above in range(lane)), default=0)
        if lane is not Lane.HIGH and higher < unit.waits_for:
            return False
        self._next[lane] = messages[0].offset + 1
        self._parts += unit.tables
        if unit.part == unit.parts - 1:
            unit.tables, self._parts = self._parts, []
            self._apply(unit)
        return True

    def _apply(self, unit: Unit) -> None:
        self.units.append(unit)
        self.applied[unit.lane] = max(self.applied.get(unit.lane, 0), unit.position)
        if unit.kind == "parked":
            self.parked |= dict.fromkeys(unit.names, unit.reason)
        elif unit.kind == "unparked":
            self.parked = {name: why for name, why in self.parked.items() if name not in unit.names}
        version = (unit.incarnation, unit.position)
        for rows in unit.tables:
            known = self.rows.setdefault(rows.table, {})
            found: dict[bytes, Raw | None] = {self._key(rows.table, key): None for key in rows.deleted}
            for row in rows.rows:
                try:
                    found[self._row_key(rows, row)] = tuple(row)
                except InvalidMessageError:
                    continue  # the updater makes a dead letter of it
            if unit.span is not None:
                after, through = unit.span
                found |= {key: None for key in known if after < key <= through and key not in found}
            for key, row in found.items():
                if version >= known.get(key, ((0, 0), None))[0]:
                    known[key] = (version, row)

    def _row_key(self, rows: TableRows, row: Raw) -> bytes:
        return self._key(rows.table, [row[rows.columns.index(name)] for name in self.flows.tables[rows.table].key])

    def _key(self, name: str, key: Sequence[Any]) -> bytes:
        one = self.flows.tables[name]
        kinds = [one.columns[column].type for column in one.key]
        return encode_key((SOURCE, *[coerce(kind, value) for kind, value in zip(kinds, key, strict=True)]))


class World:
    """A database file, an editor's connection to it, a gateway over it, and the mirror behind."""

    def __init__(
        self, folder: Path, flows: Flows, setup: str = "", journal: str = "wal", log: Log | None = None, **settings: Any
    ) -> None:
        self.path, self.folder = folder / "shop.db", folder / "data"
        self.url = f"sqlite:///{self.path}"
        self.editor = sqlite3.connect(self.path, isolation_level=None, timeout=0.2)
        self.editor.execute(f"PRAGMA journal_mode = {journal}")
        self.editor.executescript(setup)
        self.log: Any = log or MemoryLog()
        self.clock, self.settings = StillClock(), GatewaySettings(**settings)
        self.flows = flows
        self.mirror = Mirror(flows, self.log)
        self.gateway = self._gateway()

    def sql(self, *statements: str) -> None:
        for statement in statements:
            self.editor.execute(statement)

    def restart(self, flows: Flows | None = None) -> None:
        """The process is killed and another one starts, with another flows file if given."""
        self.gateway.close()
        if flows is not None:
            self.flows = self.mirror.flows = flows
        self.gateway = self._gateway()

    def drain(self, budget_rows: int = 1_000) -> list[Unit]:
        """Steps until nothing is left to do; the units that arrived."""
        begin = len(self.mirror.units)
        for _ in range(1_000):
            worked = self.gateway.step(budget_rows)
            self.mirror.pull()
            if not worked:
                return self.mirror.units[begin:]
        raise AssertionError("the gateway never comes to rest")

    def stored(self, name: str) -> list[Raw]:
        """What the database itself says, in the mirror's form."""
        one = self.flows.tables[name]
        columns = ", ".join(f'"{column.name}"' for column in one.columns.values() if not column.writer)
        return sorted(self.editor.execute(f'SELECT {columns} FROM "{one.source_table}"').fetchall(), key=repr)

    def differences(self) -> dict[str, tuple[list[Raw], list[Raw]]]:
        """Tables (not parked) whose mirror differs from the database: (mirror, database)."""
        names = [name for name in self.flows.tables if name not in self.mirror.parked]
        both = {name: (self.mirror.values(name), self.stored(name)) for name in names}
        return {name: pair for name, pair in both.items() if pair[0] != pair[1]}

    def close(self) -> None:
        self.gateway.close()
        self.editor.close()

    def _gateway(self) -> Gateway:
        capture = SqliteCapture(self.url)
        return Gateway(SOURCE, self.flows, capture, self.log, self.clock, self.settings, str(self.folder))
