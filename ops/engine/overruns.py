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

_FORGOTTEN_AFTER_SPANS = 60.0
"""So long after a function was last ended it gets the whole time again."""


class _Watch:
    """What the looks found."""

    def __init__(self, modules: Set[str], span_ms: float, monotonic_ms: Callable[[], float]) -> None:
        self._modules, self._span_ms, self._monotonic_ms = modules, span_ms, monotonic_ms
        self._running: FrameType | None = None  # held, so that no other frame gets its place in memory
        self._looks = 0
        self._ended: dict[CodeType, tuple[int, float]] = {}  # how often of late; when the last time

    def look(self, number: int, frame: FrameType | None) -> None:
        """Raises OverrunError where the function is; again and again, should it catch that."""
        function = self._function(frame)
        if function is None or function is not self._running:
            self._running, self._looks = function, 0
            return
        self._looks += 1
        if self._looks < self._allowed(function.f_code) or sys.gettrace() is not None:  # somebody debugs it
            return
        times, _ = self._ended.get(function.f_code, (0, 0.0))
        self._ended[function.f_code] = times + 1, self._monotonic_ms()
        self._running = None
        raise OverrunError(_told(function, frame or function, self._looks * self._span_ms))

    def _function(self, frame: FrameType | None) -> FrameType | None:
        """The outermost one that is the application's: what was called, whatever it calls."""
        found = None
        while frame is not None:
            if frame.f_globals.get("__name__") in self._modules:
                found = frame
            frame = frame.f_back
        return found

    def _allowed(self, code: CodeType) -> int:
        """Looks. A function that has just been ended gets less time: perhaps it hangs for every document."""
        times, last_ms = self._ended.get(code, (0, 0.0))
        if times and self._monotonic_ms() > last_ms + _FORGOTTEN_AFTER_SPANS * self._span_ms:
            del self._ended[code]
            times = 0
        return max(1, _LOOKS >> times)


@contextmanager
def ended(modules: Set[str], limit_ms: float, monotonic_ms: Callable[[], float]) -> Iterator[None]:
    """While inside, in the main thread. modules: no function of theirs may run much longer than limit_ms (0: all)."""
    if not limit_ms or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:  # the timer is somebody else's
        yield
        return
    span_ms = limit_ms / _LOOKS
    signal.signal(signal.SIGALRM, _Watch(modules, span_ms, monotonic_ms).look)
    signal.setitimer(signal.ITIMER_REAL, span_ms / 1000, span_ms / 1000)
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
        f"{name} did not return within {after_ms / 1000:g} s and was ended{line}; while it runs, no edit gets through. "
        "Mend it, or allow it more time (argus.function_ms_max)"
    )
