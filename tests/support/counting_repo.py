"""A Repo that counts what is asked of another one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from repo.api import Outcome, OutcomeKind, Repo, Snapshot, TableSpec, Transaction, Version


class CountingRepo:
    """commits: calls of commit; transactions: those that were committed; reads, scans: calls of Snapshot.read and of
    Snapshot.scan_prefixes; staged: tables that transactions wrote. before_commit, before_scan: called once, before the
    next one."""

    def __init__(self, repo: Repo) -> None:
        self.commits = self.transactions = self.reads = self.scans = 0
        self.staged: set[str] = set()
        self.before_commit: Callable[[], object] | None = None
        self.before_scan: Callable[[], object] | None = None
        self._repo = repo

    def declare(self, tables: Sequence[TableSpec]) -> None:
        self._repo.declare(tables)

    def snapshot(self, at_least: int = 0, still: bool = False) -> "CountingSnapshot":
        return CountingSnapshot(self, self._repo.snapshot(at_least, still))

    def snapshot_at(self, timestamp: int) -> "CountingSnapshot":
        return CountingSnapshot(self, self._repo.snapshot_at(timestamp))

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        return self._repo.lease(snapshot, seconds)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        if self.before_commit is not None:
            hook, self.before_commit = self.before_commit, None
            hook()
        self.commits += 1
        self.staged.update(cell.table for transaction in transactions for cell in transaction.writes)
        outcomes = self._repo.commit(transactions)
        self.transactions += sum(outcome.kind is OutcomeKind.COMMITTED for outcome in outcomes)
        return outcomes

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        return self._repo.settle(transaction, unknown)

    def last_timestamp(self) -> int:
        return self._repo.last_timestamp()

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        return self._repo.collect_garbage(before, limit)

    def tables(self) -> Iterator[TableSpec]:
        return self._repo.tables()


class CountingSnapshot:
    """See CountingRepo."""

    def __init__(self, counts: CountingRepo, snapshot: Snapshot) -> None:
        self._counts, self._snapshot = counts, snapshot

    @property
    def timestamp(self) -> int:
        return self._snapshot.timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        self._counts.reads += 1
        return self._snapshot.read(table, group, keys)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        if self._counts.before_scan is not None:
            hook, self._counts.before_scan = self._counts.before_scan, None
            hook()
        self._counts.scans += 1
        return self._snapshot.scan_prefixes(table, prefixes, limit_each, after)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._snapshot, name)

    def __enter__(self) -> Self:
        self._snapshot.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._snapshot.__exit__(*exc)
