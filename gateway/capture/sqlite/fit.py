"""Whether the tables of a flows file fit a real database: they are there, with their columns, and values have their
types."""

from collections.abc import Iterator, Sequence

from gateway.capture.port import CapturedTable
from gateway.capture.sqlite.doctor import Finding
from gateway.capture.sqlite.file import SqliteFile
from gateway.capture.sqlite.missing import obstacle
from gateway.capture.sqlite.reads import TableReads
from gateway.capture.sqlite.schema import Schema
from proto.errors import InvalidMessageError
from proto.values import coerce

_BUSY_MS = 2_000
SAMPLE_ROWS = 1_000


def misfits(url: str, tables: Sequence[CapturedTable], sample_rows: int = SAMPLE_ROWS) -> list[Finding]:
    """What doesn't fit, by table and column; types are tried on the first `sample_rows` rows of each table.

    Changes nothing. Raises SettingsError for a URL that names no database, UnavailableError when it is locked.
    """
    file = SqliteFile(url, _BUSY_MS)
    found: list[Finding] = []
    try:
        for table in tables:
            with file.reading():  # one a table: short
                found += _table(file, table, sample_rows)
    finally:
        file.close()
    return found


def _table(file: SqliteFile, table: CapturedTable, sample_rows: int) -> Iterator[Finding]:
    schema = Schema(file)
    shape = schema.shape(table.source_table)
    found = obstacle(table, schema, shape)
    if found is not None:
        yield Finding("error", table.name, *found)
    if shape is None or found is not None:
        return
    rows, _ = TableReads(file, table, shape, False).page(None, sample_rows, None)
    for place, (name, kind) in enumerate(zip(table.columns, table.types, strict=True)):
        values = [row[place] for row in rows if row[place] is not None]
        wrong = [text for value in values if (text := _wrong(kind, value))]
        if wrong:
            declared = {known.lower(): text for known, text in shape.columns.items()}.get(name.lower(), "")
            all_of_them = len(wrong) == len(values)
            yield Finding(
                "error" if all_of_them else "warning",
                f"{table.name}.{name}",
                f"{len(wrong):,} of the first {len(values):,} values can't be {kind}: {wrong[0]}",
                f"the database declares it {declared or 'without a type'}; change its type in the flows file"
                if all_of_them
                else "these rows become dead letters: mend them, or change the type in the flows file",
            )


def _wrong(kind: str, value: object) -> str:
    try:
        coerce(kind, value)
    except InvalidMessageError as error:
        return str(error)
    return ""
