"""How the values of a field are distributed, and one number for how far two distributions are apart."""

from array import array
from bisect import bisect_right
from collections import Counter
from typing import Any

from batch.devrun.report import Quantiles
from batch.devrun.values import category_of, number_of

_CATEGORIES_MAX = 20_000
_OTHERS = "(others)"


class Spread:
    """The values of one field in one version."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._numbers = array("d")
        self._categories: Counter[str] = Counter()
        self.count = 0
        self.nulls = 0

    def add(self, value: Any) -> None:
        self.count += 1
        if value is None:
            self.nulls += 1
            return
        number = number_of(value, self._kind)
        if number is not None:
            self._numbers.append(number)
            return
        category = category_of(value)
        full = len(self._categories) >= _CATEGORIES_MAX and category not in self._categories
        self._categories[_OTHERS if full else category] += 1

    def quantiles(self) -> Quantiles | None:
        """None unless all its values are numbers."""
        if self._categories or not self._numbers:
            return None
        ordered = sorted(self._numbers)
        last = len(ordered) - 1
        low, lower, middle, upper, high = (ordered[round(last * share)] for share in (0.0, 0.1, 0.5, 0.9, 1.0))
        return Quantiles(low, lower, middle, upper, high, sum(ordered) / len(ordered))

    def top(self, count: int) -> list[tuple[str, int]]:
        """The most frequent values; NULL among them."""
        found = Counter(self._categories)
        found.update(category_of(number) for number in self._numbers)
        if self.nulls:
            found["NULL"] += self.nulls
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:count]

    def distance(self, other: "Spread") -> tuple[str, float]:
        """("KS", largest gap between the two cumulative distributions) for numbers, else ("TV", total variation: the
        share of values that would have to move). 0: the same; 1: nothing in common. NULL counts as a value of its
        own."""
        if not self.count or not other.count:
            return "TV", 0.0 if self.count == other.count else 1.0
        if self._categories or other._categories or not (self._numbers and other._numbers):
            return "TV", self._variation(other)
        nulls = abs(self.nulls / self.count - other.nulls / other.count)
        return "KS", max(nulls, _gap(sorted(self._numbers), sorted(other._numbers)))

    def _variation(self, other: "Spread") -> float:
        ours, theirs = dict(self.top(self.count)), dict(other.top(other.count))
        names = ours.keys() | theirs.keys()
        return sum(abs(ours.get(name, 0) / self.count - theirs.get(name, 0) / other.count) for name in names) / 2


def _gap(ours: list[float], theirs: list[float]) -> float:
    points = sorted({*ours, *theirs})
    return max(abs(bisect_right(ours, at) / len(ours) - bisect_right(theirs, at) / len(theirs)) for at in points)
