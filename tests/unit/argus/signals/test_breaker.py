"""The circuit breaker: closed, open, half-open; each time longer."""

from argus.signals.breaker import Breaker
from proto.flows.model import BreakerLimits

LIMITS = BreakerLimits(failures=3, open_s=1.0, open_s_max=3.0)


def opened() -> Breaker:
    breaker = Breaker(LIMITS)
    for _ in range(3):
        breaker = breaker.called().failed(100.0)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(LIMITS).failed(0.0).failed(0.0)
    assert breaker.state == "closed" and breaker.may_call(0.0)
    assert breaker.succeeded().failed(0.0).failed(0.0).state == "closed"
    breaker = breaker.failed(0.0)
    assert breaker.state == "open" and not breaker.may_call(999.0) and breaker.refuses(999.0)


def test_after_a_while_one_call_decides() -> None:
    breaker = opened()
    assert breaker.may_call(1100.0) and not breaker.refuses(1100.0)
    breaker = breaker.called()
    assert breaker.state == "half-open" and not breaker.may_call(1100.0) and not breaker.refuses(1100.0)
    assert breaker.succeeded() == Breaker(LIMITS)


def test_it_waits_twice_as_long_each_time_up_to_a_bound() -> None:
    breaker = opened()
    waits = []
    for _ in range(4):
        began_ms = breaker.until_ms
        breaker = breaker.called().failed(began_ms)
        waits.append(breaker.until_ms - began_ms)
    assert waits == [2000.0, 3000.0, 3000.0, 3000.0]


def test_a_failure_that_comes_while_it_is_open_changes_nothing_but_the_count() -> None:
    breaker = opened()
    assert breaker.failed(900.0).until_ms == breaker.until_ms
