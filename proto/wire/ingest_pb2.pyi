from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Value(_message.Message):
    __slots__ = ("integer", "floating", "truth", "text", "data", "json")
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    FLOATING_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    integer: int
    floating: float
    truth: bool
    text: str
    data: bytes
    json: str
    def __init__(self, integer: _Optional[int] = ..., floating: _Optional[float] = ..., truth: _Optional[bool] = ..., text: _Optional[str] = ..., data: _Optional[bytes] = ..., json: _Optional[str] = ...) -> None: ...

class Row(_message.Message):
    __slots__ = ("values", "version", "deleted")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    version: int
    deleted: bool
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ..., version: _Optional[int] = ..., deleted: _Optional[bool] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("table", "source", "sequence", "columns", "rows", "partial", "base64")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    BASE64_FIELD_NUMBER: _ClassVar[int]
    table: str
    source: str
    sequence: int
    columns: _containers.RepeatedScalarFieldContainer[str]
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    partial: bool
    base64: bool
    def __init__(self, table: _Optional[str] = ..., source: _Optional[str] = ..., sequence: _Optional[int] = ..., columns: _Optional[_Iterable[str]] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ..., partial: _Optional[bool] = ..., base64: _Optional[bool] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("sequence", "taken", "refusals")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    taken: int
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, sequence: _Optional[int] = ..., taken: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("row", "column", "reason")
    ROW_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    row: int
    column: str
    reason: str
    def __init__(self, row: _Optional[int] = ..., column: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
