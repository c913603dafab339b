"""Python's garbage collector, set for a loop that makes many short-lived containers and hardly any cycles.

At the defaults it looks through everything again after each 700 new containers: 4 us a row, measured in the updater,
and pauses of milliseconds. What lives since the start is frozen; the young are looked at seldom.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG_MAX = 100_000
GENERATIONS = (20, 50)


@contextmanager
def seldom() -> Iterator[None]:
    """While the loop runs; afterwards everything is as it was."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *GENERATIONS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
