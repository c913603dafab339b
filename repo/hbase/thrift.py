"""The cell port on HBase's Thrift1 gateway."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from happybase.batch import BatchMutation, Mutation
from happybase.table import TScan

from proto.errors import SettingsError
from proto.ports.clock import Clock
from repo.hbase.batches import get_batches, put_batches
from repo.hbase.cells import Row, Stored
from repo.hbase.limits import TIMESTAMP_MAX, check_delete, check_put
from repo.hbase.thrift_pool import TIMEOUT_MS, ThriftPool

SCAN_ROWS_MAX = 1000
"""Rows in one answer of a scanner."""
_NO_BOUND = TIMESTAMP_MAX + 1


class ThriftCells:
    """repo.hbase.cells.Cells; safe to use from several threads, each of which gets a connection of its own."""

    def __init__(self, host: str, port: int, clock: Clock, timeout_ms: int = TIMEOUT_MS) -> None:
        self._pool = ThriftPool(host, port, clock, timeout_ms)

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        check_put(table, timestamp, rows)
        for batch in put_batches(rows):
            self._mutate(
                table,
                timestamp,
                {row: [Mutation(column=name, value=value) for name, value in batch[row].items()] for row in batch},
            )

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        if not columns or before == 0:
            return {}
        bound, names = _NO_BOUND if before is None else before, _thrift_columns(columns)
        found: dict[bytes, Row] = {}
        for batch in get_batches(rows):
            where = _where(table, batch)
            answer = self._pool.call(where, "getRowsWithColumnsTs", table.encode(), batch, names, bound, {})
            found.update((result.row, _row(result)) for result in answer)
        return found

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        if limit <= 0 or before == 0:
            return []
        bound = _NO_BOUND if before is None else before
        answer = self._pool.call(_where(table, [row]), "getVerTs", table.encode(), row, column, bound, limit, {})
        return [Stored(cell.timestamp, cell.value) for cell in answer]

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        if limit <= 0 or not columns or before == 0 or (stop is not None and stop <= start):
            return []
        caching = min(limit, SCAN_ROWS_MAX)
        scan = TScan(startRow=start, stopRow=stop, timestamp=before, columns=_thrift_columns(columns), caching=caching)

        def rows(client: Any) -> list[tuple[bytes, Row]]:
            scanner = client.scannerOpenWithScan(table.encode(), scan, {})
            found: list[tuple[bytes, Row]] = []
            while len(found) < limit:
                wanted = min(limit - len(found), caching)
                answer = client.scannerGetList(scanner, wanted)
                found += [(result.row, _row(result)) for result in answer]
                if len(answer) < wanted:
                    break
            client.scannerClose(scanner)
            return found

        return self._pool.run(rows, _where(table, [start]))

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        check_delete(table, timestamp, rows)
        for batch in get_batches(list(rows)):
            mutations = {row: [Mutation(isDelete=True, column=column) for column in rows[row]] for row in batch}
            self._mutate(table, timestamp, mutations)

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        check_put(table, TIMESTAMP_MAX, {row: {column: value}})
        change = Mutation(column=column, value=value)
        where = _where(table, [row])
        return bool(self._pool.call(where, "checkAndPut", table.encode(), row, column, expected or None, change, {}))

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        answer = self._pool.call(f"table {table}", "getTableRegions", table.encode())
        if not answer:
            raise SettingsError(f"table {table} is not there; require() makes it")
        return sorted((region.startKey, region.endKey or None) for region in answer)

    def close(self) -> None:
        """Closes the connections of all threads, none of which may be in a call."""
        self._pool.close()

    def _mutate(self, table: str, timestamp: int, mutations: Mapping[bytes, Sequence[Mutation]]) -> None:
        rows = [BatchMutation(row=row, mutations=changes) for row, changes in mutations.items() if changes]
        if rows:
            self._pool.call(_where(table, list(mutations)), "mutateRowsTs", table.encode(), rows, timestamp, {})


def _thrift_columns(columns: Iterable[bytes]) -> list[bytes]:
    """As Thrift spells them: `family` for all of a family, and then no column of it, which would narrow it again."""
    whole = {column[:-1] for column in columns if column.find(b":") == len(column) - 1}
    return [*sorted(whole), *(column for column in columns if column.partition(b":")[0] not in whole)]


def _row(result: Any) -> Row:
    return {column: Stored(cell.timestamp, cell.value) for column, cell in result.columns.items()}


def _where(table: str, rows: Sequence[bytes]) -> str:
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"table {table}, row {rows[0][:40]!r}{more}"
