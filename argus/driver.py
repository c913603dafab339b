"""The lock-step driver: runs the coroutines of a batch to their next await, gathers what they ask for, and goes on
with all of them.

It is the DataLoader idea without an event loop: the driver calls `send`. A batch of 200 handlers costs as many
storage calls as the deepest of them has awaits. An exception ends its own coroutine only.
"""

from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from argus.api import RowRef
from proto.errors import InvalidMessageError, OverrunError

CODE_ERRORS = (Exception, SystemExit, OverrunError)
"""What an application's code may raise, and end nothing but its own document or call: `sys.exit()`, too, and what
interrupts a function that does not return."""

ROUNDS_MAX = 100_000
"""A coroutine that awaits more often will not end: that is some seconds, for rows that one call would have read."""


@dataclass(eq=False, slots=True)
class Ask:
    """What a coroutine awaits: rows, or the rows of a collection. Resumes with the answer."""

    rows: tuple[RowRef, ...] = ()
    single: bool = False
    collection: tuple[RowRef, str] | None = None

    def __await__(self) -> Generator["Ask", Any, Any]:
        answer = yield self
        return answer


@dataclass(slots=True)
class Finished:
    """How one coroutine ended: `error` None and its result, or the exception."""

    result: Any = None
    error: BaseException | None = None


Gather = Callable[[Sequence[tuple[int, Ask]]], Sequence[Any]]


def drive(coroutines: Sequence[Coroutine[Any, Any, Any]], gather: Gather) -> list[Finished]:
    """Runs all to their ends.

    gather: [(index of the coroutine, what it asks)] of one round -> the answers, in the same order; an answer that is
    an exception is raised where the coroutine awaits. What gather itself raises ends all.
    """
    finished = [Finished() for _ in coroutines]
    waiting: list[tuple[int, Ask]] = []
    for index, coroutine in enumerate(coroutines):
        _advance(index, coroutine, None, finished, waiting)
    try:
        for _ in range(ROUNDS_MAX):
            if not waiting:
                break
            answers = gather(waiting)
            asked, waiting = waiting, []
            for (index, _), answer in zip(asked, answers, strict=True):
                _advance(index, coroutines[index], answer, finished, waiting)
        for index, _ in waiting:
            finished[index].error = InvalidMessageError(
                f"it has awaited {ROUNDS_MAX:,} times and goes on: one ctx.read can take many rows"
            )
    finally:  # the store failed: those that wait would otherwise be ended by the garbage collector
        for index, _ in waiting:
            _end(coroutines[index])
    return finished


def _advance(
    index: int,
    coroutine: Coroutine[Any, Any, Any],
    answer: Any,
    finished: list[Finished],
    waiting: list[tuple[int, Ask]],
) -> None:
    try:
        asked = coroutine.throw(answer) if isinstance(answer, Exception) else coroutine.send(answer)
    except StopIteration as stop:
        finished[index].result = stop.value
        return
    except CODE_ERRORS as error:
        finished[index].error = error
        return
    if isinstance(asked, Ask):
        waiting.append((index, asked))
        return
    _end(coroutine)
    finished[index].error = InvalidMessageError(
        f"awaited {asked!r}: a handler may await ctx.read and ctx.collection only; for anything outside use a signal"
    )


def _end(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Its `finally` blocks run; one that awaits again is left there."""
    try:
        coroutine.close()
    except CODE_ERRORS:
        return
