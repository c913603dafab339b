"""Ends a function of the application that does not return, as if it had raised.

A timer's signal looks at the main thread now and then. It counts looks, not time: a process that was stopped for an
hour has had one look. Nothing is interrupted but calls of the application's modules: not the store, not a commit.
"""

import signal
import sys
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from types import CodeType, FrameType

from proto.errors import OverrunError

_LOOKS = 4
"""A function that was not there at one look is ended at the fourth look after that one: it had at most five spans."""

_LEAST = 64
"""A function that was ended again and again of late gets half of its time each time, down to this part of it."""

_FORGOTTEN_AFTER = 15.0
"""Limits. So long after a function was last ended it gets the whole time again."""


class _Watch:
    """What the looks found."""

    def __init__(self, modules: Set[str], limit_ms: float, monotonic_ms: Callable[[], float]) -> None:
        self._modules, self._limit_ms, self._monotonic_ms = modules, limit_ms, monotonic_ms
        self._span_ms = 0.0
        self._running: FrameType | None = None  # held, so that no other frame gets its place in memory
        self._seen_ms = 0.0
        self._ended: dict[CodeType, tuple[int, float]] = {}  # how often of late; when the last time

    def pace(self) -> None:
        """Looks often while there are functions that get little time."""
        span_ms = self._limit_ms / (_LEAST if self._ended else _LOOKS)
        if span_ms != self._span_ms:
            self._span_ms = span_ms
            signal.setitimer(signal.ITIMER_REAL, span_ms / 1000, span_ms / 1000)

    def look(self, number: int, frame: FrameType | None) -> None:
        """Raises OverrunError where the function is; again and again, should it catch that."""
        since_ms = self._span_ms
        if self._ended:
            self._forget()
        function = self._function(frame)
        if function is None or function is not self._running:
            self._running, self._seen_ms = function, 0.0
            return
        self._seen_ms += since_ms
        times, _ = self._ended.get(function.f_code, (0, 0.0))
        least_ms = max(self._limit_ms / 2**times, self._limit_ms / _LEAST)
        if self._seen_ms < least_ms or sys.gettrace() is not None:  # somebody debugs it
            return
        self._ended[function.f_code] = min(times + 1, _LEAST), self._monotonic_ms()
        self._running = None
        self.pace()
        raise OverrunError(_told(function, frame or function, self._seen_ms))

    def _forget(self) -> None:
        """Whoever was ended long ago gets the whole time again."""
        before_ms = self._monotonic_ms() - _FORGOTTEN_AFTER * self._limit_ms
        for code, (_, last_ms) in tuple(self._ended.items()):
            if last_ms < before_ms:
                del self._ended[code]
        self.pace()

    def _function(self, frame: FrameType | None) -> FrameType | None:
        """The outermost one that is the application's: what was called, whatever it calls."""
        found = None
        while frame is not None:
            if frame.f_globals.get("__name__") in self._modules:
                found = frame
            frame = frame.f_back
        return found


@contextmanager
def ended(modules: Set[str], limit_ms: float, monotonic_ms: Callable[[], float]) -> Iterator[None]:
    """While inside, in the main thread, no function of the modules runs much longer than limit_ms (0: any time)."""
    if not limit_ms or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:  # the timer is somebody else's
        yield
        return
    watch = _Watch(modules, limit_ms, monotonic_ms)
    signal.signal(signal.SIGALRM, watch.look)
    watch.pace()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _told(function: FrameType, at: FrameType, after_ms: float) -> str:
    code = function.f_code
    name = f"{code.co_name} ({code.co_filename}:{code.co_firstlineno})"
    line = "" if at.f_code.co_filename != code.co_filename else f", in line {at.f_lineno}"
    return (
        f"{name} did not return within {after_ms / 1000:.2g} s and was ended{line}; while it runs, no edit gets "
        "through. Mend it, or allow it more time (argus.function_ms_max)"
    )
