"""The floor: the whole embedded way in a hundred lines, without what makes a product of it, to be put beside the
product's latency: `python -m tests.benchmarks.bare_way [--rate 100] [--edits 1500] [--folder DIR]`.

Edits of single rows by another process -> change log -> row read again -> LMDB: row, version, message -> 4 rows joined,
100 fields -> document, version, message -> durable commit -> a dict. No lanes, lineage, signals, computed fields,
positions, retries; one document an edit. Prints from the editor's COMMIT until the document can be read.
"""

import argparse
import os
import select
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import lmdb
import msgspec

from ops.demo.witness import quantile
from ops.engine.file_watch import FileWatch
from tests.support.processes import ROOT

PARENTS = {"advertiser": None, "campaign": "advertiser", "ad_group": "campaign", "ad": "ad_group"}
ROWS = {"advertiser": 200, "campaign": 1_000, "ad_group": 5_000, "ad": 50_000}
COLUMNS = 24
FIELDS = [f"{table}_{at}" for table in PARENTS for at in range(COLUMNS + 2)]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple).decode


def make(source: sqlite3.Connection, random: Random) -> None:
    source.execute("PRAGMA journal_mode = WAL")
    source.execute("CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, name, id)")
    source.execute("BEGIN")
    for table, parent in PARENTS.items():
        columns = ", ".join(f"c{at}" for at in range(COLUMNS))
        source.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, parent, {columns})")
        marks = ", ".join("?" * (COLUMNS + 2))
        for id in range(ROWS[table]):
            values = [f"{table} {id} {at}" if at % 2 else random.randrange(10**6) for at in range(COLUMNS)]
            above = random.randrange(ROWS[parent]) if parent else None
            source.execute(f"INSERT INTO {table} VALUES ({marks})", (id, above, *values))
        into = f"INSERT INTO changes (name, id) VALUES ('{table}', new.id)"
        source.execute(f"CREATE TRIGGER of_{table} AFTER UPDATE ON {table} BEGIN {into}; END")
    source.execute("COMMIT")


def edit(file: Path, rate: float, edits: int) -> None:
    """In a process of its own; a line an edit: id, new value, when its COMMIT had returned (monotonic ns)."""
    source, random = sqlite3.connect(file, timeout=30, isolation_level=None), Random(2)
    for number in range(edits):
        time.sleep(random.uniform(0.5, 1.5) / rate)
        id, value = random.randrange(ROWS["ad"]), 10**7 + number
        source.execute("UPDATE ad SET c0 = ? WHERE id = ?", (value, id))
        print(id, value, time.monotonic_ns(), flush=True)


class Indexer:
    """served: (id, value of c0) -> when its document could be read."""

    def __init__(self, source: sqlite3.Connection, folder: Path) -> None:
        self._source, self.served = source, dict[tuple[int, int], int]()
        self._environment = lmdb.open(str(folder), map_size=4 << 30, max_dbs=8)
        names = ("rows", "versions", "messages", "documents", "builds", "published")
        self._tables = [self._environment.open_db(name.encode()) for name in names]
        self._sequence = self._seen = 0
        with self._environment.begin(write=True) as write:
            for table in PARENTS:
                for row in source.execute(f"SELECT * FROM {table}"):
                    write.put(_key(table, row[0]), _encode(row), db=self._tables[0])

    def turn(self) -> bool:
        changes = self._source.execute("SELECT * FROM changes WHERE sequence > ? ORDER BY 1", (self._seen,)).fetchall()
        if not changes:
            return False
        documents = []
        rows, versions, messages, served, builds, published = self._tables
        with self._environment.begin(write=True) as write:
            for _, table, id in changes:
                row = self._source.execute(f"SELECT * FROM {table} WHERE id = ?", (id,)).fetchone()
                key, value = _key(table, id), _encode(row)
                if write.get(key, db=rows) == value:
                    continue
                self._sequence += 1
                at = self._sequence.to_bytes(8, "big")
                write.put(at, _encode((table, id, row)), db=messages)
                write.put(key, value, db=rows)
                write.put(key + at, value, db=versions)
                above = [row]
                for name in ("ad_group", "campaign", "advertiser"):
                    above.append(_decode(write.get(_key(name, above[-1][1]), db=rows)))
                document = dict(zip(FIELDS, [value for one in reversed(above) for value in one], strict=True))
                content = _encode(document)
                write.put(key, content, db=served)
                write.put(key + at, content, db=builds)
                write.put(at, key, db=published)
                documents.append(document)
        self._seen = changes[-1][0]
        now_ns = time.monotonic_ns()
        for document in documents:
            self.served[document["ad_0"], document["ad_2"]] = now_ns
        return True


def _key(table: str, id: int) -> bytes:
    return f"{table}/{id}".encode()


def measure(folder: Path, rate: float, edits: int) -> None:
    file = folder / "source.db"
    source = sqlite3.connect(file, timeout=30, isolation_level=None)
    make(source, Random(1))
    indexer, watch = Indexer(source, folder / "index"), FileWatch.open(file, lambda: None)
    command = [sys.executable, "-m", "tests.benchmarks.bare_way", "--edit", file, f"--rate={rate}", f"--edits={edits}"]
    with (folder / "edits").open("wb") as out:
        editor = subprocess.Popen(list(map(str, command)), stdout=out, cwd=ROOT)
    while editor.poll() is None:
        while indexer.turn():
            pass
        if select.select([watch] if watch else [], [], [], 0.05 if watch else 0.0005)[0] and watch:
            watch.drain()
    indexer.turn()
    made = [tuple(map(int, line.split())) for line in (folder / "edits").read_text().splitlines()]
    times = [(indexer.served[id, value] - committed_ns) / 1e6 for id, value, committed_ns in made]
    p50, p90, p99 = (quantile(times, share) for share in (0.5, 0.9, 0.99))
    print(f"{len(times)} edits, {rate:g} a second: p50 {p50:.2f}, p90 {p90:.2f}, p99 {p99:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--edits", type=int, default=1_500)
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured")
    parser.add_argument("--edit", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.edit:
        edit(arguments.edit, arguments.rate, arguments.edits)
        return
    with TemporaryDirectory(dir=arguments.folder or os.getcwd()) as folder:
        measure(Path(folder), arguments.rate, arguments.edits)


if __name__ == "__main__":
    main()
