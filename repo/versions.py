"""Versions of rows by their commit timestamps, as far as they are kept."""

from proto.codec import decode_key
from proto.record import Record, decode_record
from repo.api import Snapshot, Version
from repo.rows import Schemas, last_changes

_HISTORY_MAX = 1000


class StoredVersions:
    """Remembers what it has read. snapshot: the newest; what is older is found in it, too."""

    def __init__(self, snapshot: Snapshot, schemas: Schemas) -> None:
        self._snapshot, self._schemas = snapshot, schemas
        self._known: dict[tuple[str, str, bytes], dict[int, Version]] = {}

    def record(self, table: str, group: str, key: bytes, version: int) -> Record | None:
        """The record with this commit timestamp; None: it is not kept any more (or was a tombstone without one)."""
        found = self._versions(table, group, key).get(version)
        return None if found is None or found.value is None else decode_record(found.value)

    def changed_at(self, table: str, group: str, key: bytes, version: int, column: str) -> int | None:
        """When a column last changed, up to a version ("": any column of the group). A later version knows it, too, if
        it has carried the column over."""
        for at in sorted(self._versions(table, group, key)):
            record = self.record(table, group, key, at)
            if at < version or record is None or record.values is None:
                continue
            changes = dict(zip(self._schemas.names(record.schema), last_changes(record, at), strict=True))
            changed_at = changes.get(column) if column else max(changes.values())
            if changed_at is not None and changed_at <= version:
                return changed_at
        return None

    def written_by(self, table: str, group: str, key: bytes, version: int) -> tuple[tuple[int, int] | None, str]:
        """(source position, writer): of a handler's version no position, of one that is not kept neither."""
        record = self.record(table, group, key, version)
        if record is None:
            return None, ""
        return (None, record.writer) if record.writer else (record.source, f"source {decode_key(key)[0]}")

    def _versions(self, table: str, group: str, key: bytes) -> dict[int, Version]:
        known = self._known.get((table, group, key))
        if known is None:
            history = self._snapshot.history(table, group, key, _HISTORY_MAX)
            known = self._known[table, group, key] = {version.commit_timestamp: version for version in history}
        return known
