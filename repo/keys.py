"""Keys of index entries: parent key + order value + child key, each part shortened where it would not fit; the value
is the child key.

An LMDB key holds 511 bytes. A parent or child key above its bound is replaced by a hash (grouping still works, the
value has the whole child key); a long order value keeps its beginning (order among values with equal beginnings is
then by child key).
"""

import hashlib

PARENT_BYTES_MAX = 160
ORDER_BYTES_MAX = 120
CHILD_BYTES_MAX = 160


def index_prefix(parent: bytes) -> bytes:
    """What all entries of one parent begin with."""
    return _shortened(parent, PARENT_BYTES_MAX)


def index_entry(parent: bytes, child: bytes, order: bytes = b"") -> bytes:
    """The entry's key; its value is `child`. order: an encoded scalar, b"" when the collection has no order."""
    return index_prefix(parent) + order[:ORDER_BYTES_MAX] + _shortened(child, CHILD_BYTES_MAX)


def _shortened(key: bytes, most: int) -> bytes:
    if len(key) <= most:
        return key
    return b"\xfe" + hashlib.blake2b(key, digest_size=16).digest()
