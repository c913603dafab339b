"""Builds documents: one snapshot, one fetch, one transaction for a whole batch.

Every build commits its BuildRecord, even when the content did not change, so that a slower, older build conflicts
(N5). A document whose BuildRecord is at or above the change, by this generation or a later one, is already built.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from argus.compile import Compiled, result_check
from argus.context import Context, RowStore, row_key, row_of
from argus.driver import drive
from argus.failures import BuildFailures
from argus.fetch import Fetch, Fetched
from argus.reads import read_address
from proto import record as records
from proto.events import PUBLICATIONS, Cause, DocumentChanges
from proto.events import encode as encode_event
from proto.ports.clock import Clock
from proto.record import BuildRecord, DocumentRecord, Schema, decode_build
from repo.api import Repo, Snapshot, Transaction
from repo.keys import index_entry
from repo.system import BUILD, CONTENT, document_table, reads_index

CONFLICT_ATTEMPTS_MAX = 8


@dataclass(slots=True)
class Counts:
    """What a builder did. already: dropped as already built; unchanged: built, with equal content."""

    built: int = 0
    changed: int = 0
    unchanged: int = 0
    already: int = 0
    conflicts: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Built:
    """One document, built: encoded content, its hash, and the rows that it read by itself."""

    key: bytes
    content: bytes
    content_hash: int
    reads: list[tuple[str, bytes]] | None
    stored: BuildRecord | None


class Builder:
    """Builds documents of one type."""

    def __init__(
        self,
        repo: Repo,
        compiled: Compiled,
        fetch: Fetch,
        rows: RowStore,
        contexts: Callable[[str], Context],
        schema: Schema,
        generation: int,
        failures: BuildFailures,
        clock: Clock,
    ) -> None:
        self._repo, self._compiled, self._fetch, self._rows = repo, compiled, fetch, rows
        self._contexts, self._schema, self._generation = contexts, schema, generation
        self._failures, self._clock = failures, clock
        self._type = compiled.document.name
        self._table = document_table(self._type)
        self._tombstone = records.encode(DocumentRecord(schema.id, None))
        self._tombstone_hash = xxhash.xxh3_64_intdigest(self._tombstone)
        self._checks = [result_check(spec, spec.name) for spec, _ in compiled.asynchronous]
        self.counts = Counts()

    def build(self, causes: Mapping[bytes, Cause]) -> set[bytes]:
        """Builds what is not built yet; returns the keys that must be offered again (a newer generation has built
        them, or conflicts go on)."""
        again = self._attempt(list(causes), causes, alone=False)
        for _ in range(CONFLICT_ATTEMPTS_MAX):
            if not again:
                break
            again = self._attempt(again, causes, alone=True)
        return set(again)

    def _attempt(self, keys: list[bytes], causes: Mapping[bytes, Cause], alone: bool) -> list[bytes]:
        """One snapshot, one commit; alone: one transaction a document instead of one for all. Returns what
        conflicted."""
        with self._repo.snapshot(at_least=max(causes[key].change for key in keys)) as snapshot:
            stored, newer = self._to_build(snapshot, keys, causes)
            if not stored:
                return newer
            built = self._documents(snapshot, stored, causes)
            timestamp = snapshot.timestamp
        groups = [[document] for document in built] if alone else [built]
        transactions = [self._transaction(timestamp, group, causes) for group in groups if group]
        outcomes = self._repo.commit(transactions)
        conflicted: list[bytes] = []
        for outcome, group in zip(outcomes, groups, strict=False):
            if not outcome.committed:
                conflicted += [document.key for document in group]
        self.counts.conflicts += len(conflicted)
        return conflicted + newer

    def _to_build(
        self, snapshot: Snapshot, keys: Sequence[bytes], causes: Mapping[bytes, Cause]
    ) -> tuple[dict[bytes, BuildRecord | None], list[bytes]]:
        """What is not built yet; and what a newer generation owns, which this worker must leave alone."""
        wanted: dict[bytes, BuildRecord | None] = {}
        newer: list[bytes] = []
        generation = self._generation
        for key, version in zip(keys, snapshot.read(self._table, BUILD, keys), strict=True):
            stored = None if version is None or version.value is None else decode_build(version.value)
            if stored is None or stored.generation < generation:
                wanted[key] = stored
            elif stored.built_at < causes[key].change:
                if stored.generation > generation:
                    newer.append(key)
                else:
                    wanted[key] = stored
        self.counts.already += len(keys) - len(wanted) - len(newer)
        return wanted, newer

    def _documents(
        self, snapshot: Snapshot, stored: Mapping[bytes, BuildRecord | None], causes: Mapping[bytes, Cause]
    ) -> list[_Built]:
        keys = list(stored)
        fetched = self._fetch.rows(snapshot, keys)
        later, reads = self._asynchronous(snapshot, keys, fetched)
        compute, schema_id = self._compiled.compute, self._schema.id
        encode, digest = records.encode, xxhash.xxh3_64_intdigest
        built: list[_Built] = []
        for at, (key, exists, missing, *slots) in enumerate(
            zip(keys, fetched.exists, fetched.missing, *fetched.slots, strict=True)
        ):
            content = self._tombstone
            try:
                if exists:
                    values, servable = compute(*slots)
                    if later:
                        values = self._completed(values, later[at])
                    content = encode(DocumentRecord(schema_id, values, servable, missing))
            except Exception as error:  # whatever a field's author wrote ends this document only
                self.counts.failed += 1
                self._failures.note(self._compiled, key, slots, causes[key], error)
                continue
            built.append(_Built(key, content, digest(content), reads[at] if reads else None, stored[key]))
        self._failures.clear(self._type, [document.key for document in built])
        return built

    def _asynchronous(
        self, snapshot: Snapshot, keys: Sequence[bytes], fetched: Fetched
    ) -> tuple[list[list[Any]], list[list[tuple[str, bytes]]]]:
        """Results (or exceptions) of the asynchronous fields and the rows that each document read for them."""
        if not self._compiled.asynchronous:
            return [], []
        results: list[list[Any]] = [[] for _ in keys]
        contexts = [self._contexts(row_of("", key).source) for key in keys]
        slots = list(zip(*fetched.slots, strict=True))
        for spec, arguments in self._compiled.asynchronous:
            there = [at for at, exists in enumerate(fetched.exists) if exists]
            own = [contexts[at] for at in there]
            coroutines = [spec.function(contexts[at], **arguments(*slots[at])) for at in there]
            ended = drive(coroutines, lambda asked, own=own: self._rows.gather(snapshot, own, asked))  # type: ignore[misc]
            for at, finished in zip(there, ended, strict=True):
                results[at].append(finished.error or finished.result)
        return results, [sorted((row.table, row_key(row)) for row in context.reads) for context in contexts]

    def _completed(self, values: tuple[Any, ...], later: Sequence[Any]) -> tuple[Any, ...]:
        for value in later:
            if isinstance(value, Exception):
                raise value
        return (*values, *(check(value) for check, value in zip(self._checks, later, strict=True)))

    def _transaction(
        self, snapshot_timestamp: int, built: Sequence[_Built], causes: Mapping[bytes, Cause]
    ) -> Transaction:
        transaction = Transaction(snapshot_timestamp)
        table, write = self._table, transaction.write
        encode, generation = records.encode, self._generation
        changed: list[bytes] = []
        for document in built:
            stored = document.stored
            before = self._tombstone_hash if stored is None else stored.content_hash
            if document.content_hash != before:
                write(table, document.key, CONTENT, document.content)
                changed.append(document.key)
            build = BuildRecord(snapshot_timestamp, generation, document.content_hash, document.reads)
            write(table, document.key, BUILD, encode(build))
            if document.reads is not None:
                self._note_reads(transaction, document)
        self.counts.built += len(built)
        self.counts.changed += len(changed)
        self.counts.unchanged += len(built) - len(changed)
        if changed:
            transaction.notify(PUBLICATIONS, 0, encode_event(self._changes(changed, causes)))
        return transaction

    def _changes(self, keys: list[bytes], causes: Mapping[bytes, Cause]) -> DocumentChanges:
        reasons: dict[Cause, int] = {}
        places = [reasons.setdefault(causes[key], len(reasons)) for key in keys]
        return DocumentChanges(self._type, keys, places, list(reasons), self._clock.now_ms())

    def _note_reads(self, transaction: Transaction, document: _Built) -> None:
        """Reads for conflict what the build found by itself, and remembers it, so that its next change comes back
        here (N4)."""
        now = set(document.reads or ())
        before = set((document.stored.reads if document.stored else None) or ())
        index = reads_index(self._type)
        for table, key in now:
            for group in self._rows.groups(table):
                transaction.check(table, key, group)
        for table, key in now - before:
            transaction.write_index(index, index_entry(read_address(table, key), document.key), document.key)
        for table, key in before - now:
            transaction.delete_index(index, index_entry(read_address(table, key), document.key))
