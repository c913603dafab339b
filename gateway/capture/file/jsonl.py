"""JSON Lines: an object a line. A line that is none is a fault of that line; the others go on."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.capture.file.port import FileRow, Page, Place
from gateway.capture.file.stamp import fingerprint, stamp

LINE_BYTES_MAX = 16 << 20

_BOM = b"\xef\xbb\xbf"
_decode = msgspec.json.Decoder().decode


class JsonlFile:
    """gateway.capture.file.port.RowFile."""

    base64 = True
    columns: Mapping[str, str] | None = None

    def __init__(self, path: Path) -> None:
        """Raises SettingsError when it can't be read, or is empty."""
        self.path = str(path)
        self._stamp = stamp(path)
        self.fingerprint, self.modified_ms = fingerprint(path, self._stamp), self._stamp.modified_ms
        self.size = self._stamp.size
        self._file: BinaryIO = path.open("rb")

    def pages(self, place: Place, rows_max: int) -> Iterator[Page]:
        self._file.seek(place.byte)
        row, byte, rows = place.row, place.byte, list[FileRow]()
        while taken := self._line():
            line, size = taken
            row, byte = row + 1, byte + size
            found = self._row(row, line.removeprefix(_BOM) if row == 1 else line)
            if found is not None:
                rows.append(found)
            if len(rows) >= rows_max:
                yield Page(rows, Place(row, byte))
                rows = []
        if rows or byte > place.byte:
            yield Page(rows, Place(row, byte))

    def changed(self) -> bool:
        return stamp(Path(self.path)) != self._stamp

    def holds(self, kind: str, column: str) -> bool:
        return True

    def close(self) -> None:
        self._file.close()

    def _line(self) -> tuple[bytes, int] | None:
        """(the line, its length in the file); None at the end. A line that is too long comes cut, by one byte more
        than may be."""
        line = self._file.readline(LINE_BYTES_MAX + 1)
        size = len(line)
        rest = line
        while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = self._file.readline(LINE_BYTES_MAX + 1)
            size += len(rest)
        return (line, size) if line else None

    def _row(self, number: int, line: bytes) -> FileRow | None:
        """None for an empty line."""
        if len(line) > LINE_BYTES_MAX:
            return FileRow(number, {}, f"the line is longer than {LINE_BYTES_MAX:,} bytes")
        if not line.strip():
            return None
        try:
            values = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            cut = "" if line.endswith(b"\n") else "; the file seems to be cut off here"
            return FileRow(number, {}, f"not JSON: {error}{cut}")
        if not isinstance(values, dict):
            return FileRow(number, {}, f"not a JSON object but {line[:40].decode(errors='replace').strip()}")
        return FileRow(number, values)
