"""Ranges of a table for parallel scans: regions where there are enough of them, else regions cut at sampled keys."""

from collections.abc import Sequence

from repo.hbase.cells import Cells
from repo.hbase.shadow_cells import shadow_column

_PAGE = 5_000
_SAMPLES_A_RANGE = 64

Range = tuple[bytes, bytes | None]
"""(after, before): keys with after < key < before."""


def ranges(cells: Cells, table: str, columns: Sequence[bytes], count: int) -> list[Range]:
    """See Snapshot.partitions."""
    starts = [start for start, _ in cells.regions(table)]
    if len(starts) >= 2 * count:
        bounds = [_before(starts[number * len(starts) // count]) for number in range(1, count)]
    else:
        # Of what was written a moment ago there may be no shadow cells yet; values may be large.
        keys = _sample(cells, table, [shadow_column(column) for column in columns], count)
        if len(keys) < count:
            keys = _sample(cells, table, columns, count)
        pieces = max(1, min(count, len(keys)))
        bounds = [_before(keys[number * len(keys) // pieces]) for number in range(1, pieces)]
    bounds = list(dict.fromkeys(bound for bound in bounds if bound))
    return list(zip([b"", *bounds], [*bounds, None], strict=True))


def _before(key: bytes) -> bytes:
    """A bound just below a key (or where a region begins), and no key itself: encoded keys end in a zero byte."""
    return key.rstrip(b"\0")


def _sample(cells: Cells, table: str, columns: Sequence[bytes], count: int) -> list[bytes]:
    """Every n-th key, n doubled whenever there are too many. Walks the whole table."""
    keys: list[bytes] = []
    start, stride, seen = b"", 1, 0
    while True:
        page = cells.scan(table, start, None, columns, None, _PAGE)
        for key, _ in page:
            seen += 1
            if seen % stride == 0:
                keys.append(key)
                if len(keys) >= 2 * _SAMPLES_A_RANGE * count:
                    keys, stride = keys[1::2], stride * 2
        if len(page) < _PAGE:
            return keys
        start = page[-1][0] + b"\0"
