"""Calls of handlers: what is to be run, why, and how it went."""

from dataclasses import dataclass, field

from argus.api import RowRef
from argus.context import Context
from argus.driver import Finished
from proto.events import Cause


@dataclass(frozen=True, slots=True)
class Call:
    """One handler to be run for one row. Calls for the same row and handler are one: changes coalesce."""

    handler: str
    row: RowRef


@dataclass(frozen=True, slots=True)
class Pending:
    """Why a handler is called. columns: empty: perhaps all; left: rows that the changed one has left."""

    cause: Cause
    columns: frozenset[str] = frozenset()
    left: frozenset[RowRef] = frozenset()

    def and_also(self, other: "Pending") -> "Pending":
        """Both at once, with the newer cause."""
        cause = self.cause if self.cause.change >= other.cause.change else other.cause
        columns = self.columns | other.columns if self.columns and other.columns else frozenset[str]()
        return Pending(cause, columns, self.left | other.left)


@dataclass(slots=True)
class Run:
    """A call under way. finished: how the handler ended."""

    call: Call
    pending: Pending
    context: Context
    finished: Finished = field(default_factory=Finished)
