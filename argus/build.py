"""Builds documents: one snapshot, one fetch, one transaction for a whole batch.

Every build commits its BuildRecord, even when the content did not change, so that a slower, older build conflicts
(N5). A document whose BuildRecord is at or above the change, by the generation that last changed its type or by a later
one, is already built.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import xxhash

from argus.asynchronous import Asynchronous
from argus.built import BuiltEntries
from argus.compile import Compiled
from argus.content import ContentEncoder
from argus.driver import CODE_ERRORS
from argus.failures import Failures, culprit
from argus.fetch import Fetch, Fetched
from argus.lineage import LineageEncoder, signals_used
from argus.reads import Noted, read_entry
from argus.signals.resolve import Resolved, Resolver
from argus.signals.versions import SignalVersions
from proto.events import PUBLICATIONS, Cause, DocumentChanges
from proto.events import encode as encode_event
from proto.ports.clock import Clock
from proto.record import (
    BuildRecord,
    DocumentRecord,
    LastBuild,
    Schema,
    SignalReading,
    decode_last_build,
    encode,
)
from repo.api import Cell, Repo, Snapshot, Transaction
from repo.system import BUILD, CONTENT, LINEAGE, document_table, reads_index

CONFLICT_ATTEMPTS_MAX = 8

_NEVER = LastBuild(0, 0)
"""Of a document without a build record. The content hash of a document that is not there is 0."""


@dataclass(slots=True)
class Counts:
    """What a builder did. already: dropped as already built; unchanged: built, with equal content; blocked: left as it
    was, for want of a signal."""

    built: int = 0
    changed: int = 0
    unchanged: int = 0
    already: int = 0
    conflicts: int = 0
    failed: int = 0
    blocked: int = 0


@dataclass(slots=True)
class _Batch:
    """Documents of one attempt, in lists of equal length.

    stored     what the build records said
    contents   encoded; None: it could not be built, and its last version stays
    lineages   encoded: what was read
    reads      what asynchronous fields have read; None: the type has no such fields
    signals    what signals said; () : the type has no signals
    blocked    document's place -> why it may not be built now
    failures   (key, field, error), of those that could not be built
    changed    keys of those with another content than the stored one
    """

    keys: list[bytes] = field(default_factory=list)
    stored: list[LastBuild] = field(default_factory=list)
    contents: list[bytes | None] = field(default_factory=list)
    lineages: list[bytes] = field(default_factory=list)
    reads: list[list[Noted] | None] = field(default_factory=list)
    signals: list[tuple[SignalReading, ...] | None] = field(default_factory=list)
    blocked: dict[int, str] = field(default_factory=dict)
    failures: list[tuple[bytes, str, BaseException]] = field(default_factory=list)
    changed: set[bytes] = field(default_factory=set)


class Builder:
    """Builds documents of one type. counts: since the process began."""

    def __init__(
        self,
        repo: Repo,
        compiled: Compiled,
        fetch: Fetch,
        asynchronous: Asynchronous,
        signals: Resolver,
        groups: Mapping[str, Sequence[str]],
        schema: Schema,
        generation: int,
        since: int,
        failures: Failures,
        clock: Clock,
    ) -> None:
        """groups: table -> its groups. since: the generation that last changed this type."""
        self._repo, self._compiled, self._fetch, self._asynchronous = repo, compiled, fetch, asynchronous
        self._signals, self._groups = signals, groups
        self._schema, self._generation, self._since = schema, generation, since
        self._failures, self._clock = failures, clock
        self._type = compiled.document.name
        self._table = document_table(self._type)
        self._tombstone = encode(DocumentRecord(schema.id, None))
        self._contents = ContentEncoder(compiled, schema.id)
        self._entries = BuiltEntries(self._type, generation)
        self._versions = SignalVersions(self._type)
        self._lineages = LineageEncoder(generation, len(compiled.plan.nodes))
        self.counts = Counts()

    def build(self, causes: Mapping[bytes, Cause]) -> set[bytes]:
        """Builds what is not built yet; returns the keys that must be offered again (a newer generation has built
        them, or conflicts go on)."""
        keys, newer = list(causes), set[bytes]()
        at_least = max(map(attrgetter("change"), causes.values()), default=0)
        for attempt in range(1 + CONFLICT_ATTEMPTS_MAX):
            if not keys:
                break
            keys, at_least = self._attempt(keys, causes, at_least, newer, alone=attempt > 0)
        return newer.union(keys)

    def _attempt(
        self, keys: list[bytes], causes: Mapping[bytes, Cause], at_least: int, newer: set[bytes], alone: bool
    ) -> tuple[list[bytes], int]:
        """One snapshot, one commit; alone: one transaction a document instead of one for all. Returns what conflicted,
        and the snapshot that the next attempt needs."""
        with self._repo.snapshot(at_least=at_least, still=True) as snapshot:
            wanted = self._to_build(snapshot, keys, causes, newer)
            if not wanted:
                return [], at_least
            batch = self._documents(snapshot, wanted, causes)
        for key, name, error in batch.failures:
            self._failures.not_built(self._compiled, key, name, causes[key], error)
        self.counts.failed += len(batch.failures)
        self.counts.blocked += len(batch.blocked)
        places = range(len(batch.keys))
        groups: list[Sequence[int]] = [[at] for at in places] if alone else [places] if batch.keys else []
        transactions = [self._transaction(snapshot.timestamp, batch, group, causes) for group in groups]
        counts = self.counts
        conflicted: list[bytes] = []
        settled: list[bytes] = []
        for outcome, group in zip(self._repo.commit(transactions), groups, strict=True):
            if outcome.committed:
                built = [batch.keys[at] for at in group if batch.contents[at] is not None]
                changed = len(batch.changed.intersection(built))
                counts.changed += changed
                counts.unchanged += len(built) - changed
                settled += built
            else:
                conflicted += [batch.keys[at] for at in group]
                at_least = max(at_least, outcome.commit_timestamp)
        self._failures.built(self._type, settled)
        counts.built += len(settled)
        counts.conflicts += len(conflicted)
        return conflicted, at_least

    def _to_build(
        self, snapshot: Snapshot, keys: Sequence[bytes], causes: Mapping[bytes, Cause], newer: set[bytes]
    ) -> dict[bytes, LastBuild]:
        """What is not built yet. What a newer generation owns is added to `newer`: this worker must leave it alone."""
        wanted: dict[bytes, LastBuild] = {}
        generation, since, refused = self._generation, self._since, 0
        for key, version in zip(keys, snapshot.read(self._table, BUILD, keys), strict=True):
            if version is None or version.value is None:
                wanted[key] = _NEVER
                continue
            stored = decode_last_build(version.value)
            if stored.generation < since:
                wanted[key] = stored
            elif stored.built_at < causes[key].change:
                if stored.generation > generation:
                    newer.add(key)
                    refused += 1
                else:
                    wanted[key] = stored
        self.counts.already += len(keys) - len(wanted) - refused
        return wanted

    def _documents(
        self, snapshot: Snapshot, wanted: Mapping[bytes, LastBuild], causes: Mapping[bytes, Cause]
    ) -> _Batch:
        keys = list(wanted)
        fetched = self._fetch.rows(snapshot, keys)
        resolved = self._resolved(wanted, fetched, causes) if self._signals else None
        later = self._asynchronous.run(snapshot, keys, fetched) if self._asynchronous else None
        encode_content, tombstone = self._contents.encode, self._tombstone
        footprints, encode_lineage = list(zip(*fetched.footprints, strict=True)), self._lineages.encode
        batch = _Batch()
        add_key, add_stored, add_content = batch.keys.append, batch.stored.append, batch.contents.append
        add_lineage = batch.lineages.append
        arguments = zip(*fetched.own, *fetched.branches, *fetched.signals, strict=True)
        for at, (exists, missing, given) in enumerate(zip(fetched.exists, fetched.missing, arguments, strict=True)):
            key = keys[at]
            content: bytes | None = tombstone
            if resolved is not None and at in resolved.blocked and exists:
                batch.blocked[len(batch.keys)] = resolved.blocked[at]
                content = None
            elif exists:
                try:
                    content = encode_content(given, missing, () if later is None else later[at].whole())
                except CODE_ERRORS as error:  # whatever a field's author wrote ends this document only
                    name, blamed = culprit(self._compiled, [slot[at] for slot in fetched.slots])
                    if not name and later is not None:
                        name = later[at].field
                    batch.failures.append((key, name, blamed or error))
                    if later is None:
                        continue  # whatever changes next among its inputs builds it again
                    content = None
            add_key(key)
            add_stored(wanted[key])
            add_content(content)
            readings = resolved.readings[at] if resolved is not None and exists else None
            add_lineage(encode_lineage(footprints[at], () if later is None else later[at].rows, readings))
            if later is not None:
                batch.reads.append(later[at].reads)
            if resolved is not None:
                batch.signals.append(readings)
        return batch

    def _resolved(self, wanted: Mapping[bytes, LastBuild], fetched: Fetched, causes: Mapping[bytes, Cause]) -> Resolved:
        resolved = self._signals.resolve(list(wanted.values()), fetched)
        if resolved.awaited:
            self._signals.await_answers(resolved, list(wanted), [causes[key].lane for key in wanted])
        return resolved

    def _transaction(
        self, snapshot_timestamp: int, batch: _Batch, group: Sequence[int], causes: Mapping[bytes, Cause]
    ) -> Transaction:
        transaction = Transaction(snapshot_timestamp)
        writes, companions = transaction.writes, transaction.companions
        table, generation = self._table, self._generation
        digest, tombstone, is_there = xxhash.xxh3_64_intdigest, self._tombstone, self._entries.is_there
        new = tuple.__new__  # new(Cell, ...) is Cell(...) in two thirds of the time
        changed: list[bytes] = []
        for at in group:
            key, content, stored = batch.keys[at], batch.contents[at], batch.stored[at]
            reads = batch.reads[at] if batch.reads else None
            if reads is not None or stored.reads is not None:
                reads = self._note_reads(transaction, key, stored.reads or [], reads or [], content is not None)
            signals = batch.signals[at] if batch.signals else None
            if content is None:
                blocked = batch.blocked.get(at, "")
                kept = signals if blocked else stored.read_signals()  # those of the content that stays
                build = BuildRecord(
                    stored.built_at, stored.generation, stored.content_hash, reads, stored.lineage_hash, kept, blocked,
                    stored.read_used(),
                )  # fmt: skip
            else:
                content_hash = 0 if content is tombstone else digest(content)
                if content_hash != stored.content_hash:
                    companions[new(Cell, (table, key, CONTENT))] = content
                    changed.append(key)
                if content is tombstone or not is_there(snapshot_timestamp, stored):
                    self._entries.move(transaction, key, stored, content is not tombstone)
                lineage_hash = digest(batch.lineages[at])
                if lineage_hash != stored.lineage_hash:
                    companions[new(Cell, (table, key, LINEAGE))] = batch.lineages[at]
                used = signals_used(signals) if signals else None
                if encode(used) != bytes(stored.used):
                    self._versions.move(transaction, key, stored.read_used(), used)
                build = BuildRecord(
                    snapshot_timestamp, generation, content_hash, reads, lineage_hash, signals, "", used
                )
            writes[new(Cell, (table, key, BUILD))] = encode(build)
        if changed:
            batch.changed.update(changed)
            transaction.notify(PUBLICATIONS, 0, encode_event(self._changes(changed, causes)))
        return transaction

    def _changes(self, keys: list[bytes], causes: Mapping[bytes, Cause]) -> DocumentChanges:
        reasons: dict[Cause, int] = {}
        places = [reasons.setdefault(causes[key], len(reasons)) for key in keys]
        return DocumentChanges(self._type, keys, places, list(reasons), self._clock.now_ms())

    def _note_reads(
        self, transaction: Transaction, document: bytes, before: list[Noted], now: list[Noted], complete: bool
    ) -> list[Noted]:
        """Reads for conflict what the build found by itself, and remembers it, so that its next change comes back here
        (N4). complete: it read all that it needs; otherwise what it read earlier is kept, too."""
        index = reads_index(self._type)
        for table, key in now:
            for group in self._groups.get(table, ()):
                transaction.check(table, key, group)
        kept = now if complete else sorted({*before, *now})
        for noted in sorted(set(kept).difference(before)):
            transaction.write_index(index, read_entry(noted, document), document)
        for noted in sorted(set(before).difference(kept)):
            transaction.delete_index(index, read_entry(noted, document))
        return kept
