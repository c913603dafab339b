"""Functions that do not return are ended; nothing else is ever interrupted. With real signals."""

import signal
import sys
import time
from collections.abc import Callable

import pytest

from argus.driver import drive
from ops.engine.overruns import ended
from proto.errors import OverrunError
from tests.support import endless

LIMIT_MS = 80.0
APPLICATION = {endless.__name__}


def now_ms() -> float:
    return time.monotonic() * 1000


def took_ms(function: Callable[[], object]) -> float:
    began_ms = now_ms()
    with pytest.raises(OverrunError):
        function()
    return now_ms() - began_ms


@pytest.mark.parametrize("function", endless.FOR_EVER, ids=lambda one: one.__name__)
def test_a_function_that_does_not_return_is_ended(function: Callable[[], object]) -> None:
    with ended(APPLICATION, LIMIT_MS, now_ms), pytest.raises(OverrunError) as caught:
        function()
    assert f"{function.__name__} ({endless.__file__}:" in str(caught.value)
    assert "argus.function_ms_max" in str(caught.value)


def test_it_has_the_whole_time_the_first_time_and_less_after_that() -> None:
    with ended(APPLICATION, 4 * LIMIT_MS, now_ms):
        first, _, third = (took_ms(endless.spins) for _ in range(3))
        assert first >= 4 * LIMIT_MS > third
        assert took_ms(endless.catches_every_exception) >= 4 * LIMIT_MS


def test_one_that_hangs_for_every_document_gets_next_to_nothing() -> None:
    """Otherwise it holds up everything else by a second for each of its documents."""
    with ended(APPLICATION, 8 * LIMIT_MS, now_ms):
        for _ in range(6):
            took_ms(endless.spins)
        assert min(took_ms(endless.spins) for _ in range(3)) < 4 * LIMIT_MS / 8
        assert endless.long() == "done"


def test_one_that_was_ended_long_ago_gets_the_whole_time_again() -> None:
    hour_ms = [0.0]
    with ended(APPLICATION, 4 * LIMIT_MS, lambda: hour_ms[0]):
        for _ in range(5):
            took_ms(endless.spins)
        assert took_ms(endless.spins) < 2 * LIMIT_MS
        hour_ms[0] = 3_600_000.0
        time.sleep(LIMIT_MS / 1000)
        assert signal.getitimer(signal.ITIMER_REAL)[1] == LIMIT_MS / 1000
        assert took_ms(endless.spins) >= 3 * LIMIT_MS


def test_a_handler_is_ended_and_those_beside_it_are_not() -> None:
    with ended(APPLICATION, LIMIT_MS, now_ms):
        first, second = drive([endless.handles_for_ever(), endless.handles_soon()], lambda asked: [])
    assert isinstance(first.error, OverrunError) and second.result == "done"


def test_what_runs_elsewhere_is_never_interrupted() -> None:
    with ended(APPLICATION, LIMIT_MS, now_ms):
        until_ms = now_ms() + 3 * LIMIT_MS
        while now_ms() < until_ms:
            pass
        time.sleep(3 * LIMIT_MS / 1000)


def test_many_short_calls_are_not_one_long_one() -> None:
    with ended(APPLICATION, LIMIT_MS, now_ms):
        until_ms = now_ms() + 4 * LIMIT_MS
        while now_ms() < until_ms:
            endless.short()


def test_a_function_that_somebody_debugs_may_take_its_time() -> None:
    before = sys.gettrace()
    with ended(APPLICATION, LIMIT_MS, now_ms):
        sys.settrace(lambda frame, event, argument: None)
        try:
            assert endless.long() == "done"
        finally:
            sys.settrace(before)


def test_zero_is_no_bound() -> None:
    with ended(APPLICATION, 0.0, now_ms):
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_the_timer_is_given_back() -> None:
    with ended(APPLICATION, LIMIT_MS, now_ms):
        assert signal.getitimer(signal.ITIMER_REAL)[1] == LIMIT_MS / 4 / 1000
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_timer_of_somebody_else_is_left_alone() -> None:
    def own(number: int, frame: object) -> None: ...

    signal.signal(signal.SIGALRM, own)
    try:
        with ended(APPLICATION, LIMIT_MS, now_ms):
            assert signal.getsignal(signal.SIGALRM) is own
        assert signal.getsignal(signal.SIGALRM) is own
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
