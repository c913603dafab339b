"""An application whose functions do not return, or not soon."""

import re
import time
from collections.abc import Callable


def spins() -> None:
    while True:
        pass


def sleeps() -> None:
    time.sleep(60)


def matches_for_ever() -> None:
    re.match("(a+)+$", "a" * 60 + "b")


def catches_every_exception() -> None:
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def catches_all_twice() -> None:
    for attempt in range(100):
        try:
            time.sleep(60)
        except BaseException:
            if attempt == 2:
                raise


async def handles_for_ever() -> None:
    while True:
        pass


async def handles_soon() -> str:
    return "done"


def short() -> None:
    until_s = time.monotonic() + 0.002
    while time.monotonic() < until_s:
        pass


def long() -> str:
    time.sleep(0.3)
    return "done"


FOR_EVER: list[Callable[[], object]] = [
    spins,
    sleeps,
    matches_for_ever,
    catches_every_exception,
    catches_all_twice,
]
