"""Calls in threads: the loop goes on while one hangs; whatever a fetcher raises becomes a failed call."""

import queue
from collections.abc import Sequence

from argus.api import Reading
from argus.signals.port import Answer, Call, Fetcher, Finished
from argus.signals.pull import CALLS_MAX
from argus.signals.threads import ThreadCaller
from proto.flows.model import Signal

SIGNAL = Signal("performance", "m:f", "pin_id", {"ctr": "float"}, 60.0, 60.0)
PATIENCE_S = 60.0


class Ends:
    """A caller, and a wait for its calls."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.caller = ThreadCaller({"performance": SIGNAL}, {"performance": fetcher}, lambda: self._rung.put(None))

    def next(self) -> Finished:
        self._rung.get(timeout=PATIENCE_S)
        (finished,) = self.caller.finished()
        return finished


def call(*keys: int, number: int = 1) -> Call:
    return Call("performance", number, keys)


def test_a_call_is_made_in_a_thread_and_the_loop_is_rung() -> None:
    ends = Ends(lambda keys: {key: Reading({"ctr": key / 10}, 2) for key in keys})
    ends.caller.start(call(1, 2))
    assert ends.next().answers == {1: Answer(2, (0.1,)), 2: Answer(2, (0.2,))}
    assert ends.caller.finished() == []
    ends.caller.close()


def test_whatever_a_fetcher_raises_is_the_calls_error() -> None:
    def fetch(keys: Sequence[int]) -> dict[int, Reading | None]:
        if keys == (1,):
            raise ZeroDivisionError("no pins")
        return "rubbish"  # type: ignore[return-value]

    ends = Ends(fetch)
    ends.caller.start(call(1))
    assert ends.next() == Finished(call(1), error="ZeroDivisionError: no pins")
    ends.caller.start(call(2))
    assert "not a mapping" in ends.next().error
    ends.caller.close()


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_fetcher_that_exits_or_has_no_words_ends_its_call_and_not_its_thread() -> None:
    def fetch(keys: Sequence[int]) -> dict[int, Reading | None]:
        raise SystemExit("done") if keys == (1,) else Speechless

    ends = Ends(fetch)
    for _ in range(CALLS_MAX + 1):  # as many as there are threads, and one more
        ends.caller.start(call(1))
        assert ends.next().error == "SystemExit: done"
        ends.caller.start(call(2))
        assert ends.next().error == "Speechless: its text can't be had: it raises RuntimeError"
    ends.caller.close()


def test_one_that_hangs_does_not_hold_up_the_next() -> None:
    go_on: queue.SimpleQueue[None] = queue.SimpleQueue()

    def fetch(keys: Sequence[int]) -> dict[int, Reading | None]:
        if keys == (1,):
            go_on.get(timeout=PATIENCE_S)
        return dict.fromkeys(keys)

    ends = Ends(fetch)
    ends.caller.start(call(1))
    ends.caller.start(call(2, number=2))
    assert ends.next().call.number == 2
    go_on.put(None)
    assert ends.next().call.number == 1
    ends.caller.close()
