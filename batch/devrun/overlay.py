"""Stored rows with what handlers wrote in a dry run laid over them, and a note of which rows were read."""

from collections.abc import Sequence

from repo.api import Reads, Version

_OVERLAID = 1  # timestamp of a version that was never committed


class Overlay:
    """repo.api.Reads. seen: table -> keys read since somebody last emptied it; None: nobody asks for that."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._written: dict[tuple[str, str], dict[bytes, bytes]] = {}
        self._changes = 0
        self.seen: dict[str, dict[bytes, None]] | None = None

    def put(self, table: str, group: str, key: bytes, record: bytes) -> None:
        """From now on this is what is read there."""
        self._written.setdefault((table, group), {})[key] = record
        self._changes += 1

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        if self.seen is not None:
            self.seen.setdefault(table, {}).update(dict.fromkeys(keys))
        versions = self._reads.read(table, group, keys)
        written = self._written.get((table, group))
        if written:
            pairs = zip(keys, versions, strict=True)
            versions = [Version(_OVERLAID, written[key]) if key in written else version for key, version in pairs]
        return versions

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        """One snapshot changes only by what is laid over it."""
        return [b"%d" % self._changes] * len(tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        return self._reads.scan_prefixes(table, prefixes, limit_each, after)
