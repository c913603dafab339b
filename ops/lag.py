"""How far behind each stage is: messages that wait in front of it, and since when."""

from typing import NamedTuple

import msgspec

from ops.topics import CONSUMED, Consumed
from proto.events import UPDATES, decode_unit
from proto.ports.log import Log

_PER_MS = 1_000_000


_SAMPLES = 16


class Lag(NamedTuple):
    """waiting: messages not processed; retained: kept; since_ms: wall clock of the oldest that waits; 0.0: none.

    waiting_bytes: about what those that wait take on the disk, from a sample.
    """

    consumed: Consumed
    waiting: int
    retained: int
    since_ms: float
    waiting_bytes: int = 0


def lags(log: Log) -> list[Lag]:
    """One for each topic that has a consumer."""
    return [_lag(log, consumed) for consumed in CONSUMED]


def _lag(log: Log, consumed: Consumed) -> Lag:
    waiting = retained = 0
    waiting_bytes = 0
    since_ms: list[float] = []
    for partition in range(log.partitions(consumed.topic)):
        first, end = log.bounds(consumed.topic, partition)
        position = log.position(consumed.consumer, consumed.topic, partition)
        retained += end - first
        waiting += max(0, end - position)
        if position < end:
            waiting_bytes += _bytes(log, consumed.topic, partition, position, end)
            since_ms += [time_ms(consumed.topic, one.value) for one in log.read(consumed.topic, partition, position, 1)]
    return Lag(consumed, waiting, retained, min(since_ms, default=0.0), waiting_bytes)


def _bytes(log: Log, topic: str, partition: int, position: int, end: int) -> int:
    """Of the messages in [position, end), by the mean of some of them."""
    offsets = range(position, end, max(1, (end - position) // _SAMPLES))
    sizes = [len(one.value) for offset in offsets for one in log.read(topic, partition, offset, 1)]
    return sum(sizes) * (end - position) // max(1, len(sizes))


def time_ms(topic: str, message: bytes) -> float:
    """How old a message is, as a wall clock: a unit, when it was captured; else the commit timestamp it begins with."""
    if not topic.startswith(UPDATES):
        return int.from_bytes(message[:8], "big") / _PER_MS
    try:
        return decode_unit(message).capture_ms
    except msgspec.DecodeError:
        return 0.0
