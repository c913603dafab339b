"""What handler authors import: `field`, `handler`, and the few types that their functions see.

    @field(inputs={"bid": "bid_micros", "objective": "ad_group.campaign.objective"}, version=1)
    def effective_bid(bid: int | None, objective: str | None) -> int | None: ...

    @handler(observes=["campaigns.daily_budget_micros"], version=1)
    async def pace_campaign(ctx: HandlerContext, change: Change) -> None: ...

Both decorators return the function as it is, so a test calls it like any other function. A handler is what
Percolator calls an observer.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, Protocol, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


class RowRef(NamedTuple):
    """Address of a row: table, the source that its key belongs to, and the values of its key columns."""

    table: str
    source: str
    key: tuple[Any, ...]


class Row(Mapping[str, Any]):
    """A row as a handler sees it: column -> value (Decimal, date and aware datetime where the column says so)."""

    __slots__ = ("_values", "ref")

    def __init__(self, ref: RowRef, values: Mapping[str, Any]) -> None:
        self.ref = ref
        self._values = values

    def __getitem__(self, column: str) -> Any:
        try:
            return self._values[column]
        except KeyError:
            known = ", ".join(self._values)
            raise KeyError(f"table {self.ref.table!r} has no column {column!r}; it has {known}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Row({self.ref.table}/{','.join(map(str, self.ref.key))}, {dict(self._values)})"


@dataclass(frozen=True, slots=True)
class Change:
    """What a handler is called with. Coalesced changes come once.

    row       the row that changed; it may be gone by now
    columns   what changed, as far as it is known; empty: perhaps everything
    left      rows that it referred to, or in whose collections it was, before it moved or was deleted: a handler that
              keeps totals of a parent brings these up to date, too
    """

    row: RowRef
    columns: frozenset[str]
    left: frozenset[RowRef] = frozenset()


class HandlerContext(Protocol):
    """Reads at one snapshot, writes in one transaction. It cannot commit: the driver does, and runs the handler
    again on a conflict."""

    def row(self, table: str, *key: Any) -> RowRef:
        """Address of another row of the same source; `ctx.row("spend", *change.row.key)`."""
        ...

    def read(self, *rows: RowRef) -> Awaitable[Any]:
        """One row (or None) for one address; a list for several. One await is one round: ask for all at once."""
        ...

    def collection(self, parent: RowRef, name: str) -> Awaitable[list[Row]]:
        """The rows of a collection that the flows file declares on the parent's table, in its order."""
        ...

    def write(self, row: RowRef, values: Mapping[str, Any]) -> None:
        """Sets columns that the flows file gives to this handler; the others keep their values. Seen by this
        handler's later reads."""
        ...

    def delete(self, row: RowRef) -> None:
        """Removes this handler's columns of the row."""
        ...


class Reading(NamedTuple):
    """What a signal's fetcher says about a key. values: field -> value; version: of these values, from 1, never lower
    than before.

    A fetcher is `def performance(keys: Sequence[int]) -> dict[int, Reading | None]`: one call for many keys; None says
    that nothing is known about a key.
    """

    values: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A computed field. inputs: parameter -> path from the document's root. asynchronous: takes `ctx` first and may
    read rows."""

    name: str
    function: Callable[..., Any]
    inputs: Mapping[str, str]
    version: int
    document: str
    asynchronous: bool = False


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A handler. observes: "table.column", or "table" for any column."""

    name: str
    function: Callable[..., Awaitable[None]]
    observes: tuple[str, ...]
    version: int


def field(*, inputs: Mapping[str, str], version: int, document: str = "") -> Callable[[Function], Function]:
    """Makes a pure function a computed field.

    inputs: parameter name -> path. version: raise it when the function's meaning changes; documents are then rebuilt.
    document: the document type that gets the field under the function's name without an entry in the flows file.
    """

    def mark(function: Function) -> Function:
        asynchronous = iscoroutinefunction(function)
        name = function.__name__
        function.__adsindex__ = FieldSpec(name, function, dict(inputs), version, document, asynchronous)  # type: ignore[attr-defined]
        return function

    return mark


def handler(*, observes: list[str], version: int) -> Callable[[Function], Function]:
    """Makes a coroutine function a handler of changes of the observed columns."""

    def mark(function: Function) -> Function:
        function.__adsindex__ = HandlerSpec(function.__name__, function, tuple(observes), version)  # type: ignore[attr-defined]
        return function

    return mark
