"""Rates of the cell port on a real HBase: packed rows written and read, by rows a call.

python -m tests.benchmarks.cells THRIFT ZOOKEEPER, with the addresses that `adsindex cluster status` prints.
"""

import sys
import time
from collections.abc import Callable
from itertools import count
from secrets import token_hex

from ops.engine.clock import SystemClock
from repo.hbase.cells import Family
from repo.hbase.tables import MasterTables
from repo.hbase.thrift import ThriftCells

ROWS = 5_000
SECONDS = 2.0
VALUE, NOTIFICATION, SHADOW = b"v" * 400, b"n" * 40, b"8 bytes."
CONTENT, SHADOW_OF_CONTENT, CHANGED = b"d:content", b"d:\x00\xc2\x80content\xc2\x80", b"n:_"


def main(thrift: str, zookeeper: str) -> None:
    host, port = thrift.rsplit(":", 1)
    cells, tables = ThriftCells(host, int(port), SystemClock()), MasterTables(zookeeper, SystemClock(), time.sleep)
    table, versions = f"benchmark.{token_hex(4)}", count(1)
    tables.require({table: {"d": Family(2**31 - 1), "n": Family(3, scope=1)}})

    def write(rows: list[bytes]) -> None:
        cells.put(table, next(versions), {row: {CONTENT: VALUE, CHANGED: NOTIFICATION} for row in rows})

    def shadow(rows: list[bytes]) -> None:
        cells.put(table, next(versions), {row: {SHADOW_OF_CONTENT: SHADOW} for row in rows})

    def read(rows: list[bytes]) -> None:
        assert len(cells.get(table, rows, [CONTENT, SHADOW_OF_CONTENT])) == len(rows)

    def swap(rows: list[bytes]) -> None:
        for row in rows:
            state = b"%d" % next(versions)
            assert cells.check_and_put(table, b"state" + row, CONTENT, None, state)
            assert cells.check_and_put(table, b"state" + row, CONTENT, state, b"")

    def scan(rows: list[bytes]) -> None:
        assert len(cells.scan(table, rows[0], None, [CONTENT, SHADOW_OF_CONTENT], None, len(rows))) == len(rows)

    for name, call in {"write": write, "shadow": shadow, "read": read, "scan": scan}.items():
        for rows in (1, 20, 100, 500):
            measure(f"{name}, {rows} rows a call", call, rows)
    measure("check_and_put, two", swap, 1)
    cells.close()
    tables.drop(table)


def measure(name: str, call: Callable[[list[bytes]], None], rows: int) -> None:
    """Prints rows/s, and p50 and p99 of a call in ms. Rows are named such that no batch begins in the last 500."""
    everything = [b"%08d" % number for number in range(ROWS)]
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < SECONDS or len(times) * rows < ROWS:
        at = len(times) * rows % (ROWS - rows + 1) // rows * rows
        started = time.perf_counter()
        call(everything[at : at + rows])
        times.append(time.perf_counter() - started)
    rate = len(times) * rows / (time.perf_counter() - began)
    times.sort()
    p50, p99 = times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000
    print(f"{name:30} {rate:10,.0f} rows/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
