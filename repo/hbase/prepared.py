"""A transaction in the bytes of the store, checked before anything is sent, and those that can share one id."""

from collections.abc import Sequence
from struct import Struct

from proto.errors import InvalidMessageError, SettingsError
from repo.api import Cell, Keep, Transaction
from repo.hbase.catalog import Catalog, Layout
from repo.hbase.cell_ids import cell_id
from repo.hbase.limits import check_put
from repo.hbase.names import NOTIFICATIONS

Rows = dict[bytes, dict[bytes, bytes]]
"""Row -> column -> value, as the cell port puts them."""

TOMBSTONE = b""
ENTRY_PREFIX = b"\x01"
"""Before the value of an index entry, which may be empty: an empty cell is a tombstone."""

_NOTIFICATION = Struct(">II")


class Prepared:
    """tables: by name in HBase, what is to be written. written, checked: cell ids, the conflict set; cells: their
    names. touched: ids of all that is written, companions and index entries too."""

    __slots__ = ("cells", "checked", "tables", "touched", "transaction", "written")

    def __init__(self, catalog: Catalog, transaction: Transaction) -> None:
        """Raises SettingsError for an unknown table or group, InvalidMessageError for what can't be stored."""
        self.transaction = transaction
        self.tables: dict[str, Rows] = {}
        self.cells: dict[int, Cell] = {}
        self.written = [self._write(catalog, cell, value) for cell, value in transaction.writes.items()]
        companions = [self._companion(catalog, cell, value) for cell, value in transaction.companions.items()]
        entries = [self._entry(catalog, *at, value) for at, value in transaction.index_writes.items()]
        self.checked = [self._check(catalog, cell) for cell in sorted(transaction.checks)]
        self.touched = {*self.written, *companions, *entries}
        for table, rows in self.tables.items():
            check_put(table, 1, rows)
        if transaction.messages:
            self._check_messages()

    def notifications(self, first: int) -> tuple[str, bytes, dict[bytes, bytes]]:
        """Table, row and columns of the messages, on the first row that is written; `first`: their place among all of
        one id."""
        table, rows = next(iter(self.tables.items()))
        columns = {
            notification_column(topic, partition, first + place): payload
            for place, (topic, partition, payload) in enumerate(self.transaction.messages)
        }
        return table, next(iter(rows)), columns

    def _write(self, catalog: Catalog, cell: Cell, value: bytes | None) -> int:
        id = self._companion(catalog, cell, value)
        self.cells[id] = cell
        return id

    def _companion(self, catalog: Catalog, cell: Cell, value: bytes | None) -> int:
        layout = catalog.layout(cell.table, cell.group)
        if layout.keep is Keep.INDEX:
            raise InvalidMessageError(f"{cell.table!r} is an index; use write_index")
        if value is not None and (not isinstance(value, bytes) or not value):
            raise InvalidMessageError(_why_not(cell, value))
        return self._put(layout, cell.key, TOMBSTONE if value is None else value)

    def _entry(self, catalog: Catalog, table: str, key: bytes, value: bytes | None) -> int:
        layout = catalog.layout(table, "")
        if layout.keep is not Keep.INDEX:
            raise SettingsError(f"{table!r} is no index; use write")
        if value is not None and not isinstance(value, bytes):
            raise InvalidMessageError(_why_not(Cell(table, key, ""), value))
        return self._put(layout, key, TOMBSTONE if value is None else ENTRY_PREFIX + value)

    def _check(self, catalog: Catalog, cell: Cell) -> int:
        layout = catalog.layout(cell.table, cell.group)
        if layout.keep is Keep.INDEX:
            raise InvalidMessageError(f"{cell.table!r} is an index: its entries have no versions to check")
        id = id_of(layout, cell.key)
        self.cells[id] = cell
        return id

    def _check_messages(self) -> None:
        if not self.tables:
            raise InvalidMessageError("a message is stored in a row of its transaction, and this one writes none")
        for topic, partition, payload in self.transaction.messages:
            if not 0 <= partition < 1 << 32:
                raise InvalidMessageError(f"a message to topic {topic!r}: {partition} is no partition")
            if not isinstance(payload, bytes):
                raise InvalidMessageError(f"a message to topic {topic!r} of type {type(payload).__name__}: encode it")
        table, row, columns = self.notifications(0)
        check_put(table, 1, {row: columns})

    def _put(self, layout: Layout, key: bytes, value: bytes) -> int:
        self.tables.setdefault(layout.table, {}).setdefault(key, {})[layout.column] = value
        return id_of(layout, key)


def id_of(layout: Layout, key: bytes) -> int:
    """The cell id."""
    family, _, qualifier = layout.column.partition(b":")
    return cell_id(layout.table.encode(), key, family, qualifier)


def notification_column(topic: str, partition: int, place: int) -> bytes:
    """Of a message: topic, a zero byte, partition and place among the messages of its id (4 bytes big-endian each)."""
    return b"%s:%s\0%s" % (NOTIFICATIONS, topic.encode(), _NOTIFICATION.pack(partition, place))


def without_overlap(members: Sequence[Prepared]) -> tuple[list[Prepared], list[Prepared]]:
    """Splits off those that must wait until an earlier member is decided: what it writes they write or check, or what
    it checks they write. The rest may share an id, as far as they share a snapshot."""
    touched, checked = set[int](), set[int]()
    free: list[Prepared] = []
    waiting: list[Prepared] = []
    for member in members:
        after = not (
            touched.isdisjoint(member.touched)
            and touched.isdisjoint(member.checked)
            and checked.isdisjoint(member.touched)
        )
        (waiting if after else free).append(member)
        touched |= member.touched
        checked.update(member.checked)
    return free, waiting


def _why_not(cell: Cell, value: object) -> str:
    what = "an empty value" if value == b"" else f"a value of type {type(value).__name__}"
    mend = "delete the cell instead" if value == b"" else "encode it as bytes"
    return f"{what} can't be written to group {cell.group!r} of {cell.table!r}, row {cell.key[:40]!r}; {mend}"
