"""Addresses as people type them, `ad/4711`, `shard2:4711`, `campaigns/eu,7`, to tables and encoded keys and back.

An encoded key begins with the name of the source; where only one source exists it is left out.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from proto.codec import Scalar, decode_key, encode_key
from proto.errors import InvalidMessageError, SettingsError
from proto.flows.model import Document, Flows, Table
from proto.flows.paths import nearest
from proto.values import coerce


@dataclass(frozen=True, slots=True)
class Address:
    """A row or a document. document: its type, "" for a row; table: the row's table, for a document its root table."""

    document: str
    table: str
    key: bytes
    text: str


def document_address(flows: Flows, sources: Sequence[str], text: str) -> Address:
    """`[TYPE/]ID`. Raises SettingsError that says what is missing or wrong."""
    document, id_text = _document_of(flows, text)
    table = flows.tables[document.root]
    key = encoded_id(table, sources, id_text)
    return Address(document.name, table.name, key, f"{document.name}/{id_text}")


def row_address(flows: Flows, sources: Sequence[str], text: str) -> Address:
    """`TABLE/ID`. Raises SettingsError that says what is missing or wrong."""
    name, slash, id_text = text.partition("/")
    if not slash or not id_text:
        raise SettingsError(
            f"{text!r} is not an address of a row: write TABLE/ID, e.g. {next(iter(flows.tables))}/{name}"
        )
    table = flows.tables.get(name)
    if table is None:
        raise SettingsError(f"there is no table {name!r}; {nearest(name, list(flows.tables))}")
    return Address("", table.name, encoded_id(table, sources, id_text), text)


def any_address(flows: Flows, sources: Sequence[str], text: str) -> Address:
    """`[TYPE/]ID` or `TABLE/ID`; a name that is both means the document."""
    name, slash, _ = text.partition("/")
    if slash and name in flows.tables and name not in flows.documents:
        return row_address(flows, sources, text)
    return document_address(flows, sources, text)


def encoded_id(table: Table, sources: Sequence[str], text: str) -> bytes:
    """`ID` or `SOURCE:ID` -> encoded key, each part coerced to the type of its key column."""
    source, id_text = _split_source(sources, text)
    kinds = [table.columns[name].type for name in table.key]
    parts = _parts(table, id_text)
    try:
        values = [_key_value(kind, part) for kind, part in zip(kinds, parts, strict=True)]
        return encode_key((source, *values))
    except InvalidMessageError as error:
        raise SettingsError(f"{id_text!r} is not an id of {table.name!r}: {error}") from None


def shown_id(key: bytes) -> Any:
    """An encoded key -> its id as JSON has it: a scalar, or a list for a composite id; the source is left out."""
    values = [_json_scalar(value) for value in decode_key(key)[1:]]
    return values[0] if len(values) == 1 else values


def shown_address(name: str, key: bytes, sources: Sequence[str] = ()) -> str:
    """`ad/4711`, or `ad/shard2:4711` where several sources exist: what can be typed again."""
    shown = shown_id(key)
    plain = not isinstance(shown, list) or any("," in part for part in shown if isinstance(part, str))
    text = ",".join(map(str, shown)) if not plain else shown if isinstance(shown, str) else _json(shown)
    return f"{name}/{source_of(key)}:{text}" if len(sources) > 1 else f"{name}/{text}"


def source_of(key: bytes) -> str:
    """Name of the source whose row or document this is."""
    return str(decode_key(key)[0])


def _document_of(flows: Flows, text: str) -> tuple[Document, str]:
    name, slash, rest = text.partition("/")
    if slash and name in flows.documents:
        if not rest:
            raise SettingsError(f"{text!r}: the id is missing")
        return flows.documents[name], rest
    if slash and name in flows.tables:
        types = [document.name for document in flows.documents.values() if document.root == name]
        hint = f"its document is {types[0]}/{rest}" if types else f"look at the row with: adsindex row {text}"
        raise SettingsError(f"{name!r} is a table, not a document type; {hint}")
    if len(flows.documents) == 1:
        return next(iter(flows.documents.values())), text
    if not flows.documents:
        raise SettingsError(f"the flows file {flows.file} has no documents")
    if slash:
        raise SettingsError(f"there is no document type {name!r}; {nearest(name, list(flows.documents))}")
    raise SettingsError(f"there are several document types ({', '.join(flows.documents)}): write TYPE/{text}")


def _split_source(sources: Sequence[str], text: str) -> tuple[str, str]:
    name, colon, rest = text.partition(":")
    if colon and name in sources:
        return name, rest
    if len(sources) == 1:
        return sources[0], text
    if not sources:
        raise SettingsError("no source is attached yet: nothing is stored under any id")
    raise SettingsError(f"there are several sources ({', '.join(sources)}): write SOURCE:ID, e.g. {sources[0]}:{text}")


def _parts(table: Table, text: str) -> list[Any]:
    count = len(table.key)
    if text.startswith("["):
        try:
            listed = msgspec.json.decode(text)
        except msgspec.DecodeError:
            listed = None
        if isinstance(listed, list) and len(listed) == count:
            return listed
    parts = text.split(",") if count > 1 else [text]
    if len(parts) != count:
        names = ", ".join(table.key)
        raise SettingsError(
            f"{text!r}: the key of {table.name!r} is ({names}); write {count} values with commas, or a JSON list"
        )
    return parts


def _key_value(kind: str, part: Any) -> Scalar:
    if kind == "bytes" and isinstance(part, str):
        try:
            return b64decode(part, validate=True)
        except (Base64Error, ValueError):
            return part.encode()
    value: Scalar = coerce(kind, part)
    return value


def _json_scalar(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return str(value) if isinstance(value, Decimal) else value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
