"""Counts one field over the documents of a sample, before and after."""

import heapq
from array import array
from collections import Counter
from itertools import count
from typing import Any

from batch.devrun.messages import FieldFacts, Trouble
from batch.devrun.report import Example, FieldReport, Shift, Times
from batch.devrun.spread import Spread
from batch.devrun.values import difference, number_of, reordered, same, type_name

EXAMPLES_MAX = 12
SLOW_US_MIN = 20.0
_TOP = 8
MASKED = "(masked)"


class FieldTally:
    """before, after: what the two versions say about the field; None: that version does not have it."""

    def __init__(self, subject: str, before: FieldFacts | None, after: FieldFacts | None) -> None:
        known = after or before
        assert known is not None
        self.before, self.after = before, after
        self.sensitive = any(facts.sensitive for facts in (before, after) if facts is not None)
        status = "removed" if after is None else "added" if before is None else "both"
        edited = before is None or after is None or (before.code, before.version) != (after.code, after.version)
        self.report = FieldReport(
            subject, known.name, known.kind, known.origin, known.owner, known.critical, edited, status
        )
        self.old, self.new = Spread(before.kind if before else known.kind), Spread(known.kind)
        self.ratios = array("d")  # after : before, where both are numbers and differ
        self.steps = array("d")  # after - before, there
        self.sizes = array("d")  # difference.size of every change
        self.wandering = 0  # documents for which a second try gave another value than the first
        self._times = (array("d"), array("d"))
        self._examples: list[tuple[float, float, int, Example]] = []
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._order = count(0, -1)

    def add(self, identity: str, before: Any, after: Any) -> None:
        """One document that both versions could build this field of; None for a version that has no such field."""
        report = self.report
        self.old.add(before)
        self.new.add(after)
        report.compared += 1
        if same(before, after):
            report.same += 1
            return
        report.changed += 1
        report.new_nulls += after is None
        report.nulls_filled += before is None
        if before is not None and after is not None and type(before) is not type(after):
            change = f"{type_name(before)} -> {type_name(after)}"
            report.type_changes[change] = report.type_changes.get(change, 0) + 1
        report.reordered += reordered(before, after)
        self._numbers(before, after)
        self._example(identity, before, after)

    def failed(self, before: Trouble | None, after: Trouble | None) -> None:
        """One document for which at least one version could not compute it."""
        self.report.errors_before += before is not None
        self.report.errors_after += after is not None
        self.report.new_errors += before is None and after is not None

    def took(self, before_ns: int, after_ns: int) -> None:
        """One document for which both versions called a function."""
        self._times[0].append(before_ns / 1000)
        self._times[1].append(after_ns / 1000)

    def finished(self) -> FieldReport:
        """The report, without its findings."""
        report = self.report
        if self._times[0]:
            before, after = (sorted(times) for times in self._times)
            middle, low = len(before) // 2, len(before) // 10
            slow = 5 * before[middle] + SLOW_US_MIN
            report.times = Times(
                before[middle],
                after[middle],
                _mean(before),
                _mean(after),
                before[low],
                after[low],
                sum(time > slow for time in before),
                sum(time > slow for time in after),
            )
        if report.changed:
            measure, value = self.old.distance(self.new)
            show = not self.sensitive
            report.shift = Shift(
                measure,
                value,
                self.old.quantiles() if show else None,
                self.new.quantiles() if show else None,
                self.old.top(_TOP) if show else [],
                self.new.top(_TOP) if show else [],
            )
        report.examples = [example for *_, example in sorted(self._examples, key=lambda kept: kept[:3], reverse=True)]
        return report

    def _numbers(self, before: Any, after: Any) -> None:
        old, new = number_of(before, self.report.kind), number_of(after, self.report.kind)
        if old is None or new is None:
            return
        self.report.sign_flips += old * new < 0
        self.steps.append(new - old)
        if old:
            self.ratios.append(new / old)

    def _example(self, identity: str, before: Any, after: Any) -> None:
        size, amount = difference(before, after, self.report.kind)
        self.sizes.append(size)
        pair = (repr(before)[:40], repr(after)[:40])
        self._pairs[pair] += 1
        rank = size if self._pairs[pair] == 1 else size - self._pairs[pair]  # the like of it is there already
        if self.sensitive:
            before, after = _masked(before), _masked(after)
        kept = (rank, amount, next(self._order), Example(identity, before, after))
        if len(self._examples) < EXAMPLES_MAX:
            heapq.heappush(self._examples, kept)
        else:
            heapq.heappushpop(self._examples, kept)


def _masked(value: Any) -> Any:
    return None if value is None else MASKED


def _mean(values: list[float]) -> float:
    """Without the slowest hundredth: that is the machine, not the function."""
    kept = values[: max(1, len(values) - len(values) // 100)]
    return sum(kept) / len(kept)
