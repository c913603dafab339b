"""A small shop of ads with an updater over it, and makers of its units."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from proto.codec import encode_key
from proto.events import (
    NOTIFICATIONS,
    Notification,
    RowChange,
    TableRows,
    Unit,
    decode_notification,
    encode,
    lane_topic,
)
from proto.flows.model import Collection, Column, Flows, Reference, Table
from proto.lane import Lane
from proto.ports.dead_letters import DeadLetterEntry
from proto.ports.processor import DONE, Item, Outcome
from proto.record import Record
from repo.api import Repo
from repo.drops import DropOrder
from repo.rows import Schemas, last_changes
from repo.source_states import read_source_states
from repo.system import SourceState, specs
from tests.support.counting_repo import CountingRepo
from tests.support.memory_repo import MemoryRepo
from updater.layout import layouts
from updater.processor import Updater


def table(
    name: str,
    columns: dict[str, str],
    *,
    key: tuple[str, ...] = ("id",),
    lane: Lane = Lane.HIGH,
    lanes: dict[str, Lane] | None = None,
    references: Sequence[Reference] = (),
    collections: Sequence[Collection] = (),
    sources: tuple[str, ...] = (),
) -> Table:
    made = {column: Column(column, kind, (lanes or {}).get(column, lane)) for column, kind in columns.items()}
    by_name = {item.name: item for item in references}
    return Table(name, name, key, made, by_name, {item.name: item for item in collections}, lane, sources)


def flows_of(*tables: Table) -> Flows:
    return Flows({item.name: item for item in tables}, {}, 1)


CAMPAIGNS = table("campaigns", {"id": "int", "name": "str", "budget": "decimal"})
ADS = table(
    "ads",
    {"id": "int", "campaign_id": "int", "bid": "int", "title": "str", "image": "str", "facts": "json"},
    lanes={"image": Lane.MEDIUM, "facts": Lane.MEDIUM},
    references=[Reference("campaign", "ads", ("campaign_id",), "campaigns")],
    collections=[Collection("keywords", "ads", "ad_keywords", ("ad_id",), "position")],
)
KEYWORDS = table(
    "ad_keywords",
    {"ad_id": "int", "word": "str", "position": "int"},
    key=("ad_id", "word"),
    lane=Lane.MEDIUM,
    references=[Reference("ad", "ad_keywords", ("ad_id",), "ads")],
)
NOTES = table("notes", {"id": "str", "text": "str"}, lane=Lane.LOW)
SHOP = flows_of(CAMPAIGNS, ADS, KEYWORDS, NOTES)


class HandClock:
    """Stands at `ms` until somebody moves it."""

    ms = 5000.0

    def now_ms(self) -> float:
        return self.ms

    def monotonic_ms(self) -> float:
        return self.ms


class MemoryDeadLetters:
    """Dead letters in a dict. cleared: how often `clear` was called."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], DeadLetterEntry] = {}
        self.cleared = 0

    def put(self, entry: DeadLetterEntry) -> None:
        self.kept[entry.stage, entry.subject] = entry

    def clear(self, stage: str, subject: str) -> bool:
        self.cleared += 1
        return self.kept.pop((stage, subject), None) is not None

    def get(self, stage: str, subject: str) -> DeadLetterEntry | None:
        return self.kept.get((stage, subject))

    def entries(self) -> Any:
        return iter(list(self.kept.values()))

    def count(self) -> int:
        return len(self.kept)


class Engine(NamedTuple):
    """A Repo. messages: (topic, partition) -> what commits appended to it."""

    repo: Repo
    messages: Callable[[str, int], list[bytes]]


def memory_engine(repo: MemoryRepo | None = None) -> Engine:
    made = repo or MemoryRepo()
    return Engine(made, lambda topic, partition: made.messages.get((topic, partition), []))


class House:
    """An updater over a Repo, with eyes."""

    def __init__(self, flows: Flows = SHOP, engine: Engine | None = None, partitions: int = 1) -> None:
        self.engine = engine or memory_engine()
        self.repo = CountingRepo(self.engine.repo)
        self.repo.declare(specs(flows))
        self.flows = flows
        self.schemas = Schemas(self.repo)
        self.letters = MemoryDeadLetters()
        self.clock = HandClock()
        self.updater = Updater(self.repo, self.schemas, flows, self.letters, self.clock, partitions)
        self.layouts = layouts(flows, self.schemas)
        self._seen: dict[tuple[Lane, int], int] = {}

    def offer(self, *units: Unit | bytes, drop: DropOrder | None = None) -> list[Outcome]:
        """Outcomes of one batch. drop: covers all of it."""
        items = []
        for number, unit in enumerate(units):
            value, lane = (unit, 0) if isinstance(unit, bytes) else (encode(unit), unit.lane)
            items.append(Item(value, Lane(lane), 1, f"updates.{Lane(lane).name.lower()}/3@{number}"))
        return list(self.updater.process(items, drop))

    def send(self, *units: Unit) -> None:
        """One batch, of which all must be done."""
        assert self.offer(*units) == [DONE] * len(units)

    def key(self, *values: Any, source: str = "shop") -> bytes:
        return encode_key((source, *values))

    def row(self, name: str, *key: Any, source: str = "shop") -> dict[str, Any] | None:
        """The stored values, by column; None when the row is not there."""
        found: dict[str, Any] = {}
        layout = self.layouts[name]
        with self.repo.snapshot() as snapshot:
            for number, group in enumerate(layout.groups):
                (version,) = snapshot.read(name, group.name, [self.key(*key, source=source)])
                values = group.reader.values(version)
                if values is None and number == layout.main:
                    return None
                found.update(zip(group.columns, values or [None] * len(group.columns), strict=True))
        return found

    def record(self, name: str, group: str, *key: Any) -> Record | None:
        with self.repo.snapshot() as snapshot:
            (version,) = snapshot.read(name, group, [self.key(*key)])
        reader = next(item.reader for item in self.layouts[name].groups if item.name == group)
        return reader.record(version)

    def last_changes(self, name: str, group: str, *key: Any) -> dict[str, int]:
        """Column -> commit timestamp of its last change."""
        with self.repo.snapshot() as snapshot:
            (version,) = snapshot.read(name, group, [self.key(*key)])
        found = next(item for item in self.layouts[name].groups if item.name == group)
        record = found.reader.record(version)
        assert record is not None and version is not None
        return dict(zip(found.columns, last_changes(record, version.commit_timestamp), strict=True))

    def versions(self, name: str, group: str, *key: Any) -> int:
        """How many versions of a record are stored."""
        with self.repo.snapshot() as snapshot:
            return len(snapshot.history(name, group, self.key(*key)))

    def index(self, name: str) -> dict[bytes, bytes]:
        """All entries of an index: their keys and the children."""
        with self.repo.snapshot() as snapshot:
            (entries,) = snapshot.scan_prefixes(name, [b""], 10_000)
        return dict(entries)

    def state(self, source: str = "shop") -> SourceState:
        with self.repo.snapshot() as snapshot:
            (state,) = read_source_states(snapshot, [source])
        assert state is not None
        return state

    def notices(self, lane: Lane, partition: int = 0) -> list[Notification]:
        """Those that came since the last call."""
        messages = self.engine.messages(lane_topic(NOTIFICATIONS, lane), partition)
        seen = self._seen.get((lane, partition), 0)
        self._seen[lane, partition] = len(messages)
        return [decode_notification(message)[1] for message in messages[seen:]]

    def changes(self, lane: Lane) -> list[RowChange]:
        """Changed rows of the notifications that came since the last call."""
        return [change for notice in self.notices(lane) for change in notice.changes]

    def all_changes(self) -> dict[Lane, list[RowChange]]:
        return {lane: found for lane in Lane if (found := self.changes(lane))}


def unit(
    position: int,
    *tables: TableRows,
    lane: Lane = Lane.HIGH,
    kind: Any = "stream",
    source: str = "shop",
    incarnation: int = 1,
    **rest: Any,
) -> Unit:
    return Unit(source, kind, incarnation, position - 1, position, lane, list(tables), **rest)


def rows(name: str, *given: dict[str, Any], deleted: Sequence[tuple[Any, ...]] = (), flows: Flows = SHOP) -> TableRows:
    """Columns that are not given are NULL."""
    columns = tuple(flows.tables[name].columns)
    return TableRows(name, columns, [tuple(row.get(column) for column in columns) for row in given], list(deleted))


def parts_of(whole: Unit) -> list[Unit]:
    """A part for each table of the unit."""
    count = len(whole.tables)
    return [
        Unit(
            whole.source, whole.kind, whole.incarnation, whole.begin, whole.position, whole.lane, [item],
            waits_for=whole.waits_for, part=part, parts=count,
        )
        for part, item in enumerate(whole.tables)
    ]  # fmt: skip


def with_columns(old: Table, **columns: str) -> Table:
    """The table with more columns."""
    return replace(
        old, columns={**old.columns, **{name: Column(name, kind, old.lane) for name, kind in columns.items()}}
    )
