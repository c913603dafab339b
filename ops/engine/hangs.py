"""Where a process hangs: when its loop has not turned for long, the stacks of all threads go to standard error.

A function of the application that never returns holds up everything behind it, and nobody can interrupt it from inside:
so at least its file and line are told. Python itself writes them, also when the function does not let go of the
interpreter.
"""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

from ops.engine.loop import Loop, Periodic

AFTER_S = 30.0
_EVERY_MS = 5_000.0
_STANDARD_ERROR = 2


@contextmanager
def told(loop: Loop, after_s: float = AFTER_S) -> Iterator[None]:
    """While the loop runs inside. after_s: more than the 5 s between two looks at the loop, which sleeps less."""

    def wait() -> None:
        faulthandler.dump_traceback_later(after_s, file=_STANDARD_ERROR)

    wait()
    loop.periodically(Periodic(wait, _EVERY_MS))
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
