"""Shadow cells: beside a committed version, at the same version, the commit timestamp (Omid's CellUtils)."""

from functools import lru_cache
from struct import Struct

from proto.errors import CorruptionError, SettingsError

PREFIX, SUFFIX = b"\x00\xc2\x80", b"\xc2\x80"
"""Around the qualifier, in the same family: U+0080, in UTF-8."""

_TIMESTAMP = Struct(">q")


@lru_cache(maxsize=4096)
def shadow_column(column: bytes) -> bytes:
    """Of a `family:qualifier` the column of its shadow cells. Raises SettingsError for a name that looks like one."""
    family, _, qualifier = column.partition(b":")
    if qualifier.endswith(SUFFIX):
        raise SettingsError(f"no name may end in the bytes C2 80, as {qualifier!r} does: shadow cells do. Rename it")
    return b"%s:%s%s%s" % (family, PREFIX, qualifier, SUFFIX)


def encode_shadow(commit_timestamp: int) -> bytes:
    return _TIMESTAMP.pack(commit_timestamp)


def decode_shadow(value: bytes) -> int:
    """The commit timestamp. Raises CorruptionError."""
    if len(value) != _TIMESTAMP.size:
        raise CorruptionError(f"a shadow cell holds {value.hex()}, which is no timestamp")
    timestamp: int = _TIMESTAMP.unpack(value)[0]
    return timestamp
