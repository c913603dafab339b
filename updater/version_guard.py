"""The version guard: which of two versions of a row wins, and when a version must be stored although no value changed.

A version is (source incarnation, position). A unit brings whole rows, as they are at its position, so the guard holds
for the row: its version is the highest of its groups' versions, and a group that did not change need not be written
to be guarded.
"""

from collections.abc import Sequence

from proto.record import Record

RowVersion = tuple[int, int]
NEVER: RowVersion = (0, 0)
"""Of a row that was never stored."""


def row_versions(groups: Sequence[Sequence[Record | None]]) -> list[RowVersion]:
    """The versions of rows from their records: for each group the records of all rows, in one order."""
    versions = [NEVER] * len(groups[0])
    for records in groups:
        versions = [
            known if record is None or record.source < known else record.source
            for known, record in zip(versions, records, strict=True)
        ]
    return versions


def is_older(offered: RowVersion, stored: RowVersion) -> bool:
    """An older one changes nothing. An equal one is applied: a replay that finds equal values, or a value that was
    mended."""
    return offered < stored


def must_remember(kind: str, offered: RowVersion, stored: RowVersion) -> bool:
    """Whether a row with equal values must get its newer version all the same.

    A stream unit tells of a change. When its values equal the stored ones, a lane that lags may still hold the unit
    in between (A, then B, then A again): forgotten, the last A would lose to B. A chunk tells of no change: whatever
    older unit may still arrive is followed by the stream unit that led to the chunk's values. So a comparison of a
    whole table writes nothing where it finds nothing.
    """
    return kind != "chunk" and offered > stored
