"""Collects into a fixture what one document, or one call of a handler, reads: by reading it once more."""

from collections.abc import Mapping, Sequence
from typing import Any

from argus.api import Change, RowRef
from argus.asynchronous import Asynchronous
from argus.compile import compile_document
from argus.context import Context, row_key, row_of
from argus.driver import drive
from argus.fetch import Fetch
from argus.fixture import Fixture, Masking, Said, address, shown_row
from argus.registry import Application
from argus.rows import RowStore, readers_of
from proto.errors import InvalidMessageError
from proto.record import decode_build
from repo.api import Reads, Version
from repo.rows import SchemaNames
from repo.system import BUILD, document_table


class Collector:
    """One application over one snapshot."""

    def __init__(self, application: Application, reads: Reads, schemas: SchemaNames) -> None:
        self._application, self._flows = application, application.flows
        self._reads = _Noting(reads)
        self._readers = readers_of(self._flows, schemas)
        self._rows = RowStore(self._flows, self._readers)

    def document(self, document_type: str, key: bytes) -> Fixture:
        """What the document is built of. Raises InvalidMessageError when its root row is not there."""
        compiled = compile_document(self._application, self._flows.documents[document_type])
        fetched = Fetch(compiled.plan, self._readers).rows(self._reads, [key])
        if not fetched.exists[0]:
            raise InvalidMessageError(f"there is no row {compiled.document.root}/{row_of('', key).key} any more")
        (build,) = self._reads.read(document_table(document_type), BUILD, [key])
        signals: dict[str, list[Said]] = {}
        stored = decode_build(build.value).signals if build is not None and build.value is not None else None
        for reading in stored or ():
            known = self._flows.signals.get(reading.signal)
            if known is not None and reading.values is not None and reading.state in ("fresh", "last_good"):
                values = dict(zip(known.fields, reading.values, strict=False))
                signals[reading.signal] = [Said(reading.key, values)]
        for known_signal in compiled.plan.signals:  # what asynchronous fields get besides rows is not looked at here
            fetched.signals.append([(None,) * len(known_signal.signal.fields)])
        Asynchronous(self._flows, compiled, self._rows).run(self._reads, [key], fetched)
        return self._fixture(key, Fixture(document=document_type, signals=signals))

    def call(self, handler: str, row: RowRef) -> Fixture:
        """What the handler reads when it is called for the row. handler: by its name in the flows file, or its last
        part."""
        names = [name for name in self._application.handlers if handler in (name, name.rpartition(":")[2])]
        if not names:
            raise InvalidMessageError(f"there is no handler {handler!r} any more")
        context = Context(self._flows, row.source, names[0])
        self._reads.read(row.table, self._flows.tables[row.table].key_group(), [row_key(row)])
        coroutine: Any = self._application.handlers[names[0]].function(context, Change(row, frozenset()))
        drive([coroutine], lambda asked: self._rows.gather(self._reads, [context], asked))
        return self._fixture(row_key(row), Fixture(handler=names[0], table=row.table))

    def _fixture(self, key: bytes, fixture: Fixture) -> Fixture:
        ref, masking = row_of("", key), Masking(self._flows)
        for name, keys in list(self._reads.noted.items()):
            rows = [masking.mask(name, row) for row in self._whole(name, list(keys))]
            if rows:
                fixture.rows[name] = [shown_row(self._flows.tables[name], row) for row in rows]
        table = self._flows.tables[fixture.table or self._flows.documents[fixture.document].root]
        own = masking.mask(table.name, dict(zip(table.key, ref.key, strict=True)))
        fixture.source, fixture.key, fixture.masked = ref.source, address(list(own.values())), list(masking.masked)
        return fixture

    def _whole(self, name: str, keys: Sequence[bytes]) -> list[dict[str, Any]]:
        """All columns of the rows that are there, in stored form."""
        table, rows = self._flows.tables[name], []
        groups: Mapping[str, list[list[Any] | None]] = {
            group: [self._readers[name, group].values(version) for version in self._reads.read(name, group, keys)]
            for group in table.groups()
        }
        for at in range(len(keys)):
            if groups[table.key_group()][at] is not None:
                columns = dict.fromkeys(table.columns)
                for group, found in groups.items():
                    columns.update(zip(table.groups()[group], found[at] or (), strict=False))
                rows.append(columns)
        return rows


class _Noting:
    """repo.api.Reads that notes which rows of the flows' tables were read."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.noted: dict[str, dict[bytes, None]] = {}

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        if not table.startswith("document:"):
            self.noted.setdefault(table, {}).update(dict.fromkeys(keys))
        return self._reads.read(table, group, keys)

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        return self._reads.change_marks(tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        return self._reads.scan_prefixes(table, prefixes, limit_each, after)
