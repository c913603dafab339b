"""How far behind each stage is: messages that wait in front of it, and since when."""

from typing import NamedTuple

import msgspec

from ops.topics import CONSUMED, Consumed
from proto.events import UPDATES, decode_unit
from proto.ports.log import Log

_PER_MS = 1_000_000


class Lag(NamedTuple):
    """waiting: messages not processed; retained: kept; since_ms: wall clock of the oldest that waits; 0.0: none."""

    consumed: Consumed
    waiting: int
    retained: int
    since_ms: float


def lags(log: Log) -> list[Lag]:
    """One for each topic that has a consumer."""
    return [_lag(log, consumed) for consumed in CONSUMED]


def _lag(log: Log, consumed: Consumed) -> Lag:
    waiting = retained = 0
    since_ms: list[float] = []
    for partition in range(log.partitions(consumed.topic)):
        first, end = log.bounds(consumed.topic, partition)
        position = log.position(consumed.consumer, consumed.topic, partition)
        retained += end - first
        waiting += max(0, end - position)
        if position < end:
            since_ms += [
                _time_ms(consumed.topic, one.value) for one in log.read(consumed.topic, partition, position, 1)
            ]
    return Lag(consumed, waiting, retained, min(since_ms, default=0.0))


def _time_ms(topic: str, message: bytes) -> float:
    """Of a unit: when it was captured; everything else begins with its commit timestamp."""
    if not topic.startswith(UPDATES):
        return int.from_bytes(message[:8], "big") / _PER_MS
    try:
        return decode_unit(message).capture_ms
    except msgspec.DecodeError:
        return 0.0
