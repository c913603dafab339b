from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class OracleFrame(_message.Message):
    __slots__ = ("begin_counts", "begin_at_least", "commit_ids", "commit_snapshots", "written_counts", "checked_counts", "cells", "resolve_ids", "settle_ids")
    BEGIN_COUNTS_FIELD_NUMBER: _ClassVar[int]
    BEGIN_AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    COMMIT_IDS_FIELD_NUMBER: _ClassVar[int]
    COMMIT_SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CHECKED_COUNTS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_IDS_FIELD_NUMBER: _ClassVar[int]
    SETTLE_IDS_FIELD_NUMBER: _ClassVar[int]
    begin_counts: _containers.RepeatedScalarFieldContainer[int]
    begin_at_least: _containers.RepeatedScalarFieldContainer[int]
    commit_ids: _containers.RepeatedScalarFieldContainer[int]
    commit_snapshots: _containers.RepeatedScalarFieldContainer[int]
    written_counts: _containers.RepeatedScalarFieldContainer[int]
    checked_counts: _containers.RepeatedScalarFieldContainer[int]
    cells: _containers.RepeatedScalarFieldContainer[int]
    resolve_ids: _containers.RepeatedScalarFieldContainer[int]
    settle_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, begin_counts: _Optional[_Iterable[int]] = ..., begin_at_least: _Optional[_Iterable[int]] = ..., commit_ids: _Optional[_Iterable[int]] = ..., commit_snapshots: _Optional[_Iterable[int]] = ..., written_counts: _Optional[_Iterable[int]] = ..., checked_counts: _Optional[_Iterable[int]] = ..., cells: _Optional[_Iterable[int]] = ..., resolve_ids: _Optional[_Iterable[int]] = ..., settle_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class OracleAnswer(_message.Message):
    __slots__ = ("refused", "first_ids", "snapshots", "decisions", "decision_timestamps", "decision_cells", "fates", "fate_timestamps", "failure")
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    FIRST_IDS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    DECISION_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    DECISION_CELLS_FIELD_NUMBER: _ClassVar[int]
    FATES_FIELD_NUMBER: _ClassVar[int]
    FATE_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    refused: _containers.RepeatedScalarFieldContainer[bool]
    first_ids: _containers.RepeatedScalarFieldContainer[int]
    snapshots: _containers.RepeatedScalarFieldContainer[int]
    decisions: bytes
    decision_timestamps: _containers.RepeatedScalarFieldContainer[int]
    decision_cells: _containers.RepeatedScalarFieldContainer[int]
    fates: bytes
    fate_timestamps: _containers.RepeatedScalarFieldContainer[int]
    failure: str
    def __init__(self, refused: _Optional[_Iterable[bool]] = ..., first_ids: _Optional[_Iterable[int]] = ..., snapshots: _Optional[_Iterable[int]] = ..., decisions: _Optional[bytes] = ..., decision_timestamps: _Optional[_Iterable[int]] = ..., decision_cells: _Optional[_Iterable[int]] = ..., fates: _Optional[bytes] = ..., fate_timestamps: _Optional[_Iterable[int]] = ..., failure: _Optional[str] = ...) -> None: ...

class OracleQuestion(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class OracleStatus(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...
