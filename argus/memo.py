"""Results of pure functions over rows that documents share: computed once for each row, not once for each document."""

from collections.abc import Callable
from typing import Any

RESULTS_MAX = 10_000


class Memo:
    """Calls `function` once for the same row objects. They are the same while their table does not change
    (argus.shared_rows). The rows are held, so that no other row can come to have their identity."""

    __slots__ = ("_function", "_known")

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._known: dict[tuple[int, ...], tuple[tuple[Any, ...], Any]] = {}

    def __call__(self, *rows: Any) -> Any:
        known = self._known.get(tuple(map(id, rows)))
        if known is not None:
            return known[1]
        result = self._function(*rows)
        if len(self._known) >= RESULTS_MAX:
            self._known.clear()
        self._known[tuple(map(id, rows))] = (rows, result)
        return result
