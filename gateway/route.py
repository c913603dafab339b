"""Which tables a source feeds, and in which lane and topic a unit travels."""

from collections.abc import Iterable, Mapping

from gateway.capture.port import CapturedTable
from proto.events import UPDATES, lane_topic
from proto.flows.model import Flows, Table
from proto.lane import Lane


def fed_tables(flows: Flows, source: str) -> list[Table]:
    """The tables of the flows file that `source` feeds, in the file's order."""
    return [
        table
        for table in flows.tables.values()
        if table.source_table and (not table.sources or source in table.sources)
    ]


def captured_table(table: Table) -> CapturedTable:
    """What to read of it: the columns that the source writes; those of handlers are none of its business."""
    columns = [column for column in table.columns.values() if not column.writer]
    return CapturedTable(
        table.name,
        table.source_table,
        table.key,
        tuple(column.name for column in columns),
        tuple(column.type for column in columns),
    )


def unit_lane(tables: Iterable[str], lanes: Mapping[str, Lane]) -> Lane:
    """The highest lane of the tables: a unit is never split, or documents would be torn."""
    return min([lanes[table] for table in tables])


def waits_for(lane: Lane, sent: Mapping[int, int]) -> int:
    """Position of the last unit that went ahead in a higher lane."""
    return max([position for higher, position in sent.items() if higher < lane], default=0)


def topic(lane: Lane) -> str:
    """Where units of this lane go; the source's partition in it is `Log.partition_of(topic, source)`."""
    return lane_topic(UPDATES, lane)
