"""Units that are dropped because they are too old: which ones may be, and what is written down of their rows.

A dropped unit breaks what later units build on. So each of its rows keeps its old values under the *new* version, says
that it is parked, and is read again from its source later (ops/decisions/0011): nothing older can win over it, whatever
is newer heals it, and a document that is built meanwhile lists it in `missing`.
"""

from proto.codec import source_prefix
from proto.errors import InvalidMessageError
from proto.events import Unit
from proto.record import DROPPED
from repo.drops import UPDATER, DropOrder, DroppedRow
from updater.extract import RawRow, deleted_key
from updater.intake import TableIntake


def may_drop(unit: Unit, order: DropOrder) -> bool:
    """Only what is old, and can be read again."""
    return unit.capture_ms < order.before_ms and is_readable_again(unit)


def is_readable_again(unit: Unit) -> bool:
    """Row by row: not the news about tables, nor chunks that say what is gone, nor those of a first bootstrap, nor what
    came from elsewhere than a database."""
    return unit.kind in ("stream", "chunk") and not unit.first and unit.span is None


def parked_reason(order: DropOrder) -> str:
    """What `adsindex row` shows."""
    return f"{DROPPED} as stale: {order.reason}"


def dropped_row(unit: Unit, table: str, key: bytes, raw: RawRow, order: DropOrder, now_ms: float) -> DroppedRow:
    """The record of one row."""
    return DroppedRow(
        stage=UPDATER, source=unit.source, table=table, key=key, lane=unit.lane, upto=unit.position,
        dropped_ms=now_ms, reason=order.reason, raw=raw,
    )  # fmt: skip


def raw_keys(unit: Unit, intake: TableIntake) -> dict[bytes, RawRow]:
    """Encoded key -> the key as the source gave it, of the unit's rows in one table."""
    layout, found = intake.layout, dict[bytes, RawRow]()
    prefix = source_prefix(unit.source)
    for rows in unit.tables:
        if rows.table != layout.name:
            continue
        for raw in rows.rows:
            try:
                found[intake.extractor.key(raw, prefix)] = intake.extractor.raw_key(raw)
            except InvalidMessageError:
                continue  # it has a dead letter of its own
        for raw in rows.deleted:
            try:
                found[deleted_key(layout, raw, unit.source)] = raw
            except InvalidMessageError:
                continue
    return found
