"""Calls in threads of their own, a few for each signal: Python functions and HTTP clients block, the loop does not."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping

from argus.driver import CODE_ERRORS
from argus.signals.answers import checked
from argus.signals.port import Call, Fetcher, Finished
from argus.signals.pull import CALLS_MAX
from proto.errors import described
from proto.flows.model import Signal


class ThreadCaller:
    """A Caller (argus.signals.port). Threads start with the first call. They are daemons: a function that never comes
    back does not keep the process from ending.

    on_finished: called in a thread when a call has ended; it wakes the loop.
    """

    def __init__(
        self, signals: Mapping[str, Signal], fetchers: Mapping[str, Fetcher], on_finished: Callable[[], None]
    ) -> None:
        self._signals, self._fetchers, self._on_finished = signals, fetchers, on_finished
        self._queues: dict[str, queue.SimpleQueue[Call | None]] = {}
        self._finished: deque[Finished] = deque()

    def start(self, call: Call) -> None:
        calls = self._queues.get(call.signal)
        if calls is None:
            calls = self._queues[call.signal] = queue.SimpleQueue()
            for number in range(CALLS_MAX):
                name = f"signal {call.signal} {number}"
                threading.Thread(target=self._work, args=(calls, call.signal), name=name, daemon=True).start()
        calls.put(call)

    def finished(self) -> list[Finished]:
        return [self._finished.popleft() for _ in range(len(self._finished))]

    def close(self) -> None:
        """Threads end when their present call does."""
        for calls in self._queues.values():
            for _ in range(CALLS_MAX):
                calls.put(None)

    def _work(self, calls: "queue.SimpleQueue[Call | None]", signal: str) -> None:
        while (call := calls.get()) is not None:
            self._finished.append(made(self._signals[signal], self._fetchers[signal], call))
            self._on_finished()


def made(signal: Signal, fetcher: Fetcher, call: Call) -> Finished:
    """Makes a call, here and now; whatever the fetcher raises is in what is returned."""
    try:
        answers, refused = checked(signal, call.keys, fetcher(call.keys))
    except CODE_ERRORS as error:
        return Finished(call, error=described(error))
    return Finished(call, answers, refused)
