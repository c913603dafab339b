"""A few rows as JSON: what one document, or one call of a handler, was made of; to be put into a test."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from proto.errors import InvalidMessageError
from proto.flows.model import Flows, Table


class Said(msgspec.Struct):
    """What a signal said about a key. values: field -> stored value."""

    key: Any
    values: dict[str, Any]


class Fixture(msgspec.Struct, kw_only=True, omit_defaults=True):
    """document, or handler and table: what is to be built or called, with its key; rows: table -> rows, column ->
    stored value, bytes as base64.

    fields, servable, missing   the document as it is stored
    masked                      columns whose values were replaced
    """

    document: str = ""
    handler: str = ""
    table: str = ""
    key: list[Any] = []
    source: str = ""
    as_of: str = ""
    rows: dict[str, list[dict[str, Any]]] = {}
    signals: dict[str, list[Said]] = {}
    masked: list[str] = []
    fields: dict[str, Any] | None = None
    servable: bool | None = None
    missing: list[str] = []


def to_json(fixture: Fixture) -> str:
    """Several lines, for a file."""
    return msgspec.json.format(msgspec.json.encode(fixture), indent=2).decode() + "\n"


def from_json(text: str | bytes | Mapping[str, Any]) -> Fixture:
    """Raises InvalidMessageError for anything else."""
    try:
        if isinstance(text, Mapping):
            return msgspec.convert(text, Fixture)
        return msgspec.json.decode(text, type=Fixture)
    except msgspec.MsgspecError as error:
        raise InvalidMessageError(f"this is not a fixture: {error}; `adsindex fixture ID` writes one") from None


def shown_row(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row as JSON has it; columns that are NULL are left out."""
    return {
        name: b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None or name in table.key
    }


def stored_rows(flows: Flows, fixture: Fixture) -> list[tuple[Table, dict[str, Any]]]:
    """Its rows in stored form; columns that the flows no longer have are left out, new ones are NULL."""
    return [
        (table, {name: _stored(column.type, row.get(name)) for name, column in table.columns.items()})
        for name, rows in fixture.rows.items()
        if (table := flows.tables.get(name)) is not None
        for row in rows
    ]


class Masking:
    """Replaces values of sensitive columns: equal ones by equal ones, so that rows still belong together."""

    def __init__(self, flows: Flows) -> None:
        self._sensitive = {
            table.name: [column for column in table.columns.values() if column.sensitive]
            for table in flows.tables.values()
        }
        self._known: dict[Any, int] = {}
        self.masked: dict[str, None] = {}

    def mask(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """A stored row without its sensitive values."""
        masked = dict(row)
        for column in self._sensitive.get(table, ()):
            if masked.get(column.name) is not None:
                masked[column.name] = self._mask(column.type, masked[column.name])
                self.masked[f"{table}.{column.name}"] = None
        return masked

    def _mask(self, kind: str, value: Any) -> Any:
        number = self._known.setdefault(repr(value), len(self._known) + 1)
        return _MASKS[kind](number)


_MASKS: dict[str, Any] = {
    "int": int,
    "float": float,
    "decimal": str,
    "bool": lambda number: False,
    "str": lambda number: f"masked-{number}",
    "bytes": lambda number: b"masked-%d" % number,
    "date": lambda number: f"{2000 + number % 1000}-01-01",
    "datetime": lambda number: f"{2000 + number % 1000}-01-01T00:00:00Z",
    "json": lambda number: {"masked": number},
}


def _stored(kind: str, value: Any) -> Any:
    return b64decode(value) if kind == "bytes" and isinstance(value, str) else value


def address(key: Sequence[Any]) -> list[Any]:
    """Key values as JSON has them."""
    return [b64encode(value).decode() if isinstance(value, bytes) else value for value in key]
