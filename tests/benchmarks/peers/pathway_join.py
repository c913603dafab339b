"""The job's phases a, b and c in Pathway: `python pathway_join.py ads.db edits.json`; prints one JSON object.

Sources are Python connectors in upsert sessions with a commit after each source transaction, which gives the lowest
latency it has: there is no database to be captured in it, an edit begins when it is handed over. Every document is a
row of the last join, as its subscriber gets it.
"""

import json
import queue
import sys
import threading
import time
from typing import Any

import pathway as pw
from rows import COLUMNS, PARENTS, document_columns, edits, quantiles, rows

Row = dict[str, Any]


class Table(pw.io.python.ConnectorSubject):
    """Rows of one table; then what is put into `transactions`, each list of rows committed at once; None: the end."""

    def __init__(self, database: str, name: str) -> None:
        super().__init__(session_type="upsert")
        self.transactions: queue.SimpleQueue[list[Row] | None] = queue.SimpleQueue()
        self._database, self._name = database, name

    def run(self) -> None:
        for row in rows(self._database, self._name):
            self.next(**named(row))
        self.commit()
        while (changed := self.transactions.get()) is not None:
            for row in changed:
                self.next(**row)
            self.commit()


def named(row: Row) -> Row:
    """Pathway keeps the name `id` for itself."""
    return {own(name): value for name, value in row.items()}


def own(column: str) -> str:
    return "id_" if column == "id" else column


class Documents:
    """The newest of each, and when it came."""

    def __init__(self) -> None:
        self.held: dict[int, Row] = {}
        self.came: dict[int, float] = {}
        self.count = 0
        self._awaited = 0
        self._complete = threading.Event()

    def on_change(self, key: Any, row: Row, time: int, is_addition: bool) -> None:
        if is_addition:
            self.held[row["id_"]] = row
            self.came[row["id_"]] = clock()
            self.count += 1
            if self.count == self._awaited:
                self._complete.set()

    def expect(self, more: int) -> None:
        """Before what makes them is handed over."""
        self._complete.clear()
        self._awaited = self.count + more

    def wait(self) -> float:
        """Until all that are expected came; when the last one did."""
        if not self._complete.wait(timeout=120.0):
            sys.exit(f"only {self.count} of {self._awaited} documents came")
        return clock()


clock = time.perf_counter

AUTOCOMMIT_MS = 1
"""The best of 1, 2, 5, 20 and 100 for a single edit and for the burst; its default is 1,500."""


def joined(tables: dict[str, pw.Table]) -> pw.Table:
    """Left joins along the references."""
    current, child = tables["ads"], tables["ads"]
    for parent, reference in PARENTS.items():
        current = current.join_left(tables[parent], child[reference] == tables[parent].id_)
        child = tables[parent]
    return current.select(
        **{own(field): tables[table][own(name)] for field, (table, name) in document_columns().items()}
    )


def main(database: str, edits_file: str) -> None:
    subjects = {name: Table(database, name) for name in COLUMNS}
    tables = {}
    for name, columns in COLUMNS.items():
        kinds = {
            own(column): pw.column_definition(dtype=int, primary_key=True)
            if column == "id"
            else pw.column_definition(dtype=kind | None)
            for column, kind in columns.items()
        }
        schema = pw.schema_builder(kinds, name=name)
        tables[name] = pw.io.python.read(subjects[name], schema=schema, autocommit_duration_ms=AUTOCOMMIT_MS)
    documents = Documents()
    pw.io.subscribe(joined(tables), on_change=documents.on_change)
    began = clock()
    figures: dict[str, Any] = {}
    threading.Thread(target=lead, args=(database, edits_file, subjects, documents, began, figures)).start()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    print(json.dumps(figures))


def lead(
    database: str, edits_file: str, subjects: dict[str, Table], documents: Documents, began: float, figures: Row
) -> None:
    """Phase after phase, from another thread."""
    ads = {row["id"]: row for row in rows(database, "ads")}
    figures["fields"] = len(document_columns())
    # Left joins of tables that arrive side by side give some documents twice: loaded is when nothing comes any more.
    count = -1
    while count != documents.count or len(documents.held) < len(ads):
        count = documents.count
        time.sleep(1.0)
    figures["documents"] = len(documents.held)
    figures["load_docs_per_s"] = round(len(ads) / (max(documents.came.values()) - began))
    planned = edits(edits_file)
    figures["trickle_ms"] = trickle(planned["trickle"], planned["rate"], ads, subjects["ads"], documents)
    transaction = [changed(ads, ad, bid) for ad, bid in planned["burst"]]
    documents.expect(len(transaction))
    handed_over = clock()
    subjects["ads"].transactions.put(transaction)
    figures["burst_docs_per_s"] = round(len(transaction) / (documents.wait() - handed_over))
    figures["wrong"] = sum(documents.held[ad]["bid_micros"] != row["bid_micros"] for ad, row in ads.items())
    for subject in subjects.values():
        subject.transactions.put(None)


def trickle(
    pairs: list[tuple[int, int]], rate: float, ads: dict[int, Row], subject: Table, documents: Documents
) -> dict[str, float]:
    """One edit at a time, at a steady rate."""
    spent: list[float] = []
    began = clock()
    for number, (ad, bid) in enumerate(pairs):
        time.sleep(max(began + number / rate - clock(), 0.0))
        transaction = [changed(ads, ad, bid)]
        documents.expect(1)
        handed_over = clock()
        subject.transactions.put(transaction)
        documents.wait()
        spent.append((documents.came[ad] - handed_over) * 1000)
    return quantiles(spent)


def changed(ads: dict[int, Row], ad: int, bid: int) -> Row:
    """The ad with another bid, as Pathway names its columns."""
    ads[ad] = {**ads[ad], "bid_micros": bid}
    return named(ads[ad])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
