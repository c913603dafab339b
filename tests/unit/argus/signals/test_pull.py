"""One signal: what is asked and when, what a document gets while the service is slow, down, or talks rubbish."""

from dataclasses import replace

import pytest

from argus.api import Reading
from argus.signals.pull import CALLS_MAX, Pull, Use
from argus.signals.waiting import DOCUMENTS_MAX, Waiter
from proto.flows.model import BreakerLimits, Signal
from proto.lane import Lane
from proto.record import SignalReading
from tests.support.shop import HandClock
from tests.support.signals import HandCaller

SIGNAL = Signal(
    "performance", "m:f", "pin_id", {"ctr": "float"}, 60.0, 10.0, timeout_ms=200.0, batch_keys_max=2,
    cache_keys_max=4, breaker=BreakerLimits(failures=2, open_s=5.0),
)  # fmt: skip
AD = Waiter("ad", b"1")


class Desk:
    """A pull, its service, a clock."""

    def __init__(self, signal: Signal = SIGNAL, **said: Reading | None) -> None:
        self.clock = HandClock()
        self.caller = HandCaller({signal.name: {int(key[1:]): reading for key, reading in said.items()}})
        self.caller.signals = {signal.name: signal}
        self.pull = Pull(signal, self.caller, self.clock)

    def use(self, key: int | None = 7, stored: SignalReading | None = None) -> Use:
        """As a build does."""
        entry = self.pull.cache.entries.get(key)
        if entry is not None and entry.until_ms > self.clock.ms:
            return Use(entry.reading, entry.reading.values or self.pull.nulls)
        used = self.pull.use(key, stored, self.clock.ms)
        if used.awaited:
            self.pull.await_answer(key, AD, Lane.HIGH)
        self.pull.start_calls()
        return used

    def say(self, ctr: float, version: int, key: int = 7) -> None:
        self.caller.known["performance"][key] = Reading({"ctr": ctr}, version)

    def answer(self) -> None:
        self.caller.answer()
        self.turn()

    def fail(self, error: str = "down") -> None:
        self.caller.fail(error)
        self.turn()

    def turn(self) -> None:
        for finished in self.caller.finished():
            self.pull.settle(finished)
        self.pull.tick()

    def later(self, seconds: float) -> None:
        self.clock.ms += seconds * 1000.0
        self.turn()

    def ready(self) -> bool:
        """Whether the document is to be built again; once."""
        found = AD in self.pull.ready
        self.pull.ready.clear()
        return found


def test_a_key_is_asked_for_once_and_the_document_built_again_when_the_answer_comes() -> None:
    desk = Desk(k7=Reading({"ctr": 0.5}, 3))
    assert desk.use() == (SignalReading("performance", 7, "pending", shape=desk.pull.cache.shape), (None,), "", True)
    desk.use()
    assert desk.caller.asked() == [7] and not desk.ready()
    desk.answer()
    assert desk.ready() and desk.pull.is_quiet()
    used = desk.use()
    assert (used.reading.state, used.reading.version, used.values, used.awaited) == ("fresh", 3, (0.5,), False)
    assert len(desk.caller.calls) == 1


def test_that_nothing_is_known_is_kept_too_for_its_own_time() -> None:
    desk = Desk(k7=None)
    desk.use()
    desk.answer()
    used = desk.use()
    assert (used.reading.state, used.values, used.awaited) == ("absent", (None,), False)
    desk.later(9)
    desk.use()
    assert len(desk.caller.calls) == 1
    desk.later(2)
    desk.use()
    assert len(desk.caller.calls) == 2


def test_without_a_key_nobody_is_asked() -> None:
    desk = Desk()
    assert desk.use(None).reading.state == "absent" and not desk.caller.calls


def test_an_old_value_stays_in_use_until_the_answer_comes_whatever_the_policy() -> None:
    for policy in ("use_last", "omit", "block"):
        desk = Desk(replace(SIGNAL, on_failure=policy), k7=Reading({"ctr": 0.5}, 3))  # type: ignore[arg-type]
        desk.use()
        desk.answer()
        desk.ready()
        desk.later(61)
        used = desk.use()
        assert (used.reading.state, used.values, used.blocked) == ("last_good", (0.5,), "")
        desk.say(0.6, 4)
        desk.answer()
        assert desk.ready() and desk.use().values == (0.6,)


@pytest.mark.parametrize(
    ("policy", "state", "values", "blocked", "again"),
    [
        ("use_last", "last_good", (0.5,), "", False),
        ("omit", "failed", (None,), "", True),
        ("block", "failed", (None,), "signal_stale performance", False),
    ],
)
def test_what_a_document_gets_when_an_old_value_can_not_be_had_again(
    policy: str, state: str, values: tuple[float | None], blocked: str, again: bool
) -> None:
    desk = Desk(replace(SIGNAL, on_failure=policy), k7=Reading({"ctr": 0.5}, 3))  # type: ignore[arg-type]
    desk.use()
    desk.answer()
    desk.ready()
    desk.later(61)
    desk.use()
    desk.fail()
    assert desk.ready() is again
    used = desk.use()
    assert (used.reading.state, used.values, used.blocked) == (state, values, blocked)
    assert used.reading.values == (0.5,) and used.reading.version == 3  # kept for when it is of use again
    desk.later(5)
    desk.answer()
    assert desk.ready() and desk.use().values == (0.5,)


@pytest.mark.parametrize(
    ("policy", "blocked"), [("use_last", ""), ("omit", ""), ("block", "signal_missing performance")]
)
def test_what_a_document_gets_that_never_had_a_value(policy: str, blocked: str) -> None:
    desk = Desk(replace(SIGNAL, on_failure=policy))  # type: ignore[arg-type]
    used = desk.use()
    assert (used.reading.state, used.values, used.blocked) == ("pending", (None,), blocked)
    desk.fail()
    used = desk.use()
    assert (used.reading.state, used.values, used.blocked) == ("failed", (None,), blocked)


def test_a_slow_call_is_given_up_and_its_late_answer_is_used_all_the_same() -> None:
    desk = Desk(k7=Reading({"ctr": 0.5}, 3))
    desk.use()
    assert desk.pull.due_ms() == desk.clock.ms + 200.0
    desk.later(0.2)
    assert (desk.pull.counts.timeouts, desk.use().reading.state) == (1, "failed")
    assert desk.pull.counts.last_error == "no answer within 200 ms"
    desk.answer()
    assert desk.ready() and desk.use().values == (0.5,)


def test_calls_that_never_come_back_fail_what_is_behind_them() -> None:
    desk = Desk()
    for key in range(2 * CALLS_MAX + 2):
        desk.pull.want(key)
    desk.pull.start_calls()
    assert len(desk.caller.calls) == CALLS_MAX
    desk.later(0.3)
    desk.later(0.3)
    assert not any(desk.pull.is_asked(key) for key in range(2 * CALLS_MAX + 2))
    assert len(desk.caller.calls) == CALLS_MAX


def test_a_breaker_that_opens_in_the_middle_of_a_batch_fails_the_rest_at_once() -> None:
    desk = Desk()
    for key in range(9):
        desk.pull.want(key)
    desk.pull.start_calls()
    assert desk.caller.asked() == [0, 1, 2, 3]
    desk.fail("refused")
    assert desk.pull.breaker.state == "open" and len(desk.caller.calls) == 2
    assert not any(desk.pull.is_asked(key) for key in range(9))
    assert desk.use(8).reading.state == "failed" and not desk.caller.asked()


def test_once_the_service_is_back_everything_that_waits_is_asked_for_again() -> None:
    desk = Desk()
    for _ in range(2):
        desk.use()
        desk.fail()
        desk.later(1.0)
    assert desk.pull.breaker.state == "open" and not desk.caller.asked()
    assert desk.pull.due_ms() == desk.pull.breaker.until_ms
    desk.say(0.5, 1)
    desk.later(5.0)
    assert desk.caller.asked() == [7]
    desk.answer()
    assert desk.ready() and desk.pull.breaker.state == "closed" and desk.use().reading.state == "fresh"


def test_a_key_that_fails_alone_is_asked_for_again_ever_more_rarely_and_the_breaker_stays_closed() -> None:
    desk = Desk(k8=Reading({"ctr": 0.1}, 1))
    waits = []
    for _ in range(3):
        desk.pull.want(8)
        desk.use(7)
        desk.pull.cache.entries.clear()
        desk.answer()
        waits.append(desk.pull.due_ms() - desk.clock.ms)
        desk.clock.ms += waits[-1]
    assert waits == [1000.0, 2000.0, 4000.0] and desk.pull.breaker.state == "closed"
    assert desk.pull.counts.last_error == "there was no answer for key 7"


def test_waiting_for_the_next_attempt_does_not_keep_the_loop_busy() -> None:
    desk = Desk()
    desk.use()
    desk.fail()
    desk.later(1.0)
    assert desk.caller.asked() == [7]
    assert desk.pull.due_ms() == desk.clock.ms + 200.0


def test_a_version_never_goes_back() -> None:
    desk = Desk(k7=Reading({"ctr": 0.5}, 3))
    desk.use()
    desk.answer()
    desk.later(61)
    desk.say(0.1, 2)
    desk.use()
    desk.answer()
    used = desk.use()
    assert (used.reading.state, used.values, used.reading.version) == ("last_good", (0.5,), 3)
    assert desk.pull.counts.went_back == 1 and "went back from 3 to 2" in desk.pull.counts.last_error


def test_what_the_document_was_built_with_counts_after_a_restart() -> None:
    desk = Desk(k7=Reading({"ctr": 0.1}, 2))
    shape = desk.pull.cache.shape
    stored = SignalReading("performance", 7, "failed", 3, desk.clock.ms - 1000.0, (0.5,), shape)
    used = desk.use(7, stored)
    assert (used.reading.state, used.values) == ("fresh", (0.5,)) and not desk.caller.calls
    desk.later(60)
    assert desk.use(7, stored).reading.state == "last_good"
    desk.answer()
    assert desk.use(7, stored).values == (0.5,) and desk.pull.counts.went_back == 1


@pytest.mark.parametrize("change", [{"key": 8}, {"shape": 1}, {"fetched_ms": 0.0}])
def test_a_stored_reading_of_another_key_or_shape_is_of_no_use(change: dict[str, int]) -> None:
    desk = Desk()
    stored = SignalReading("performance", 7, "fresh", 3, desk.clock.ms, (0.5,), desk.pull.cache.shape)
    fields = {name: getattr(stored, name) for name in stored.__struct_fields__}
    assert desk.use(7, SignalReading(**{**fields, **change})).reading.state == "pending"


def test_the_cache_is_bounded_and_what_was_read_first_goes_first() -> None:
    desk = Desk(**{f"k{key}": Reading({"ctr": 0.1}, 1) for key in range(6)})
    for key in range(6):
        desk.use(key)
        desk.answer()
    assert list(desk.pull.cache.entries) == [2, 3, 4, 5]


def test_documents_that_wait_are_bounded_and_that_there_are_more_is_known() -> None:
    desk = Desk()
    for number in range(DOCUMENTS_MAX + 1):
        desk.pull.await_answer(7, Waiter("ad", b"%d" % number), Lane.LOW)
    assert desk.pull.waiting.documents == DOCUMENTS_MAX and desk.pull.waiting.overflowed
