"""The cell port on HBase's Thrift1 gateway."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar

from happybase.batch import BatchMutation, Mutation
from happybase.table import TScan

from proto.errors import AdsIndexError, SettingsError
from proto.ports.clock import Clock
from repo.hbase.batches import ANSWER_ROWS_MAX, AnswerSizes, cut
from repo.hbase.cells import Range, Row, Stored
from repo.hbase.limits import TIMESTAMP_MAX, check_bounds, check_delete, check_put, check_rows
from repo.hbase.thrift_pool import TIMEOUT_MS, ThriftPool

_SOON_MAX = 16
"""Calls for which nobody waits."""
_NO_BOUND = TIMESTAMP_MAX + 1

Answer = TypeVar("Answer")
Part = TypeVar("Part")


class ThriftCells:
    """repo.hbase.cells.Cells; safe to use from several threads, each of which gets a connection of its own. ways: how
    many calls of the gateway are made side by side for one call of many rows."""

    def __init__(self, host: str, port: int, clock: Clock, timeout_ms: int = TIMEOUT_MS, ways: int = 3) -> None:
        self._pool = ThriftPool(host, port, clock, timeout_ms)
        self._ways = ways
        self._answers = AnswerSizes()
        self._threads = ThreadPoolExecutor(ways, "thrift")
        self._later = ThreadPoolExecutor(1, "thrift-later")
        self._soon: deque[Future[None]] = deque()

    def put_soon(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        check_put(table, timestamp, rows)

        def write() -> None:
            with suppress(AdsIndexError):  # nobody is told; least of all whoever comes along by then
                self._put(table, timestamp, rows)

        self._soon.append(self._later.submit(write))
        if len(self._soon) > _SOON_MAX:
            self._soon.popleft().result()  # who makes more than the gateway takes waits for it after all

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        check_put(table, timestamp, rows)
        self._put(table, timestamp, rows)

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        check_rows(table, rows)
        if not columns or _is_below_all(before):
            return {}
        bound, names = _NO_BOUND if before is None else before, _thrift_columns(columns)

        def read(batch: list[bytes]) -> dict[bytes, Row]:
            where = _where(table, batch)
            answer = self._pool.call(where, "getRowsWithColumnsTs", table.encode(), batch, names, bound, {})
            found = {result.row: _row(result) for result in answer}
            self._answers.saw(table, columns, found.values())
            return found

        alone = self._answers.rows_at_first(table, columns)
        found = read(list(rows[:alone])) if alone and rows else {}
        rows_max = self._answers.rows_max(table, columns)
        for part in self._side_by_side(read, list(cut(rows[alone:], len, self._ways, rows_max))):
            found.update(part)
        return found

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        check_rows(table, [row])
        if limit <= 0 or _is_below_all(before):
            return []
        bound, where = _NO_BOUND if before is None else before, _where(table, [row])
        found: list[Stored] = []
        while len(found) < limit:
            wanted = min(limit - len(found), self._answers.rows_max(table, [column]))
            answer = self._pool.call(where, "getVerTs", table.encode(), row, column, bound, wanted, {})
            page = [Stored(cell.timestamp, cell.value) for cell in answer]
            self._answers.saw(table, [column], [{column: version} for version in page])
            found += page
            if len(page) < wanted:
                break
            bound = page[-1].timestamp
        return found

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        check_bounds(table, start, stop)
        if limit <= 0 or not columns or _is_below_all(before) or (stop is not None and stop <= start):
            return []
        caching = min(limit, ANSWER_ROWS_MAX)
        scan = TScan(startRow=start, stopRow=stop, timestamp=before, columns=_thrift_columns(columns), caching=caching)

        def rows(client: Any) -> list[tuple[bytes, Row]]:
            scanner = client.scannerOpenWithScan(table.encode(), scan, {})
            found: list[tuple[bytes, Row]] = []
            while len(found) < limit:
                wanted = min(limit - len(found), self._answers.rows_max(table, columns))
                answer = [(result.row, _row(result)) for result in client.scannerGetList(scanner, wanted)]
                self._answers.saw(table, columns, [row for _, row in answer])
                found += answer
                if len(answer) < wanted:
                    break
            client.scannerClose(scanner)
            return found

        return self._pool.run(rows, _where(table, [start]))

    def scans(
        self, table: str, ranges: Sequence[Range], columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[list[tuple[bytes, Row]]]:
        return self._side_by_side(lambda one: self.scan(table, *one, columns, before, limit), ranges)

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        check_delete(table, timestamp, rows)

        def mutations(row: bytes) -> list[Mutation]:
            return [Mutation(isDelete=True, column=column) for column in rows[row]]

        self._mutate(table, timestamp, list(cut([row for row in rows if rows[row]], len, self._ways)), mutations)

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
        """Closes the connections of all threads, none of which may be in a call. What is to land soon has landed."""
        self._later.shutdown()
        self._threads.shutdown()
        self._pool.close()

    def _put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        def size_of(row: bytes) -> int:
            return len(row) + sum(len(column) + len(value) for column, value in rows[row].items())

        def mutations(row: bytes) -> list[Mutation]:
            return [Mutation(column=column, value=value) for column, value in rows[row].items()]

        self._mutate(table, timestamp, list(cut([row for row in rows if rows[row]], size_of, self._ways)), mutations)

    def _mutate(
        self, table: str, timestamp: int, batches: list[list[bytes]], mutations: Callable[[bytes], list[Mutation]]
    ) -> None:
        def write(batch: list[bytes]) -> None:
            where, name = _where(table, batch), table.encode()
            if len(batch) == 1:  # the gateway is faster where it sees so
                self._pool.call(where, "mutateRowTs", name, batch[0], mutations(batch[0]), timestamp, {})
                return
            changes = [BatchMutation(row=row, mutations=mutations(row)) for row in batch]
            self._pool.call(where, "mutateRowsTs", name, changes, timestamp, {})

        self._side_by_side(write, batches)

    def _side_by_side(self, call: Callable[[Part], Answer], batches: Sequence[Part]) -> list[Answer]:
        """All calls have ended when it returns, or raises the first one's error."""
        if len(batches) == 1:
            return [call(batches[0])]
        calls = [self._threads.submit(call, batch) for batch in batches]
        wait(calls)
        return [ended.result() for ended in calls]


def _thrift_columns(columns: Iterable[bytes]) -> list[bytes]:
    """Of a family that is asked for as a whole no column, which would narrow it again."""
    whole = {column for column in columns if b":" not in column}
    return [*sorted(whole), *(column for column in columns if column.partition(b":")[0] not in whole)]


def _is_below_all(before: int | None) -> bool:
    """A bound below which nothing can lie. Of a negative one the gateway would say "internal error"."""
    return before is not None and before <= 0


def _row(result: Any) -> Row:
    return {column: Stored(cell.timestamp, cell.value) for column, cell in result.columns.items()}


def _where(table: str, rows: Sequence[bytes]) -> str:
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"table {table}, row {rows[0][:40]!r}{more}"
