"""Retention of the log: messages go when every consumer is done with them and enough newer ones are there."""

from collections.abc import Sequence
from typing import NamedTuple

from proto.ports.log import Log

SLICE = 1000


class KeepRule(NamedTuple):
    """consumers: who must have processed a message before it may go. messages: how many of the newest stay anyway.

    At least one of each partition stays: a gateway finds its position in the last unit that it sent.
    """

    topic: str
    consumers: Sequence[str]
    messages: int


class Retention:
    """Trims in slices, so that it never keeps the loop for long. `step` is the function of a FunctionStep."""

    def __init__(self, log: Log, rules: Sequence[KeepRule]) -> None:
        self._log, self._rules = log, list(rules)

    def step(self) -> bool:
        """At most one slice, and only a full one: so many messages pay for the commit. True when it trimmed."""
        return any(self._trim(rule, partition) for rule in self._rules for partition in self._partitions(rule))

    def _partitions(self, rule: KeepRule) -> range:
        return range(self._log.partitions(rule.topic))

    def _trim(self, rule: KeepRule, partition: int) -> bool:
        first, end = self._log.bounds(rule.topic, partition)
        before = end - max(1, rule.messages)
        if before - first < SLICE:
            return False
        done = [self._log.position(consumer, rule.topic, partition) for consumer in rule.consumers]
        before = min([before, *done])
        return before - first >= SLICE and self._log.trim(rule.topic, partition, before, SLICE) > 0
