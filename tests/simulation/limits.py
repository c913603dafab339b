"""The product's own limits, small for a run: pages, calls and rings that are full all the time."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from repo.hbase import commit_table, healing, history, partitions, scans, snapshot, spare_ids, walk

FULL_AT = {
    (scans, "_PAGE_MIN"): 1,
    (scans, "_PAGE_MAX"): 3,
    (scans, "_ROWS_A_SCAN"): 1,
    (history, "_PAGE"): 2,
    (healing, "_BATCH"): 2,
    (partitions, "_PAGE"): 2,
    (partitions, "_SAMPLES_A_RANGE"): 1,
    (walk, "_ROWS_A_PAGE"): 3,
    (commit_table, "IDS_A_CALL"): 8,
    (snapshot, "_KEYS_A_CALL"): 10,
    (spare_ids, "_SNAPSHOTS_A_COMMIT"): 1,
}


@contextmanager
def small(wanted: bool) -> Iterator[None]:
    """wanted: False changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in FULL_AT.items() if wanted else ():
            patch.setattr(module, name, value)
        yield
