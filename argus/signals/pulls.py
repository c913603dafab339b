"""All pull signals of an application: what comes back from calls, and the documents that are to be built again."""

from collections.abc import Iterable, Mapping

from argus.signals.port import Caller
from argus.signals.pull import Pull
from argus.signals.waiting import Waiter
from proto.flows.model import Signal
from proto.lane import Lane
from proto.ports.clock import Clock


class Pulls:
    """by_name: each signal."""

    def __init__(self, signals: Mapping[str, Signal], caller: Caller, clock: Clock) -> None:
        self.by_name = {name: Pull(signal, caller, clock) for name, signal in signals.items()}
        self._caller = caller

    def tick(self) -> bool:
        """Takes over what calls have brought, gives up those that take too long, starts others; True when one has
        ended."""
        finished = self._caller.finished()
        for one in finished:
            self.by_name[one.call.signal].settle(one)
        for pull in self.by_name.values():
            pull.tick()
        return bool(finished)

    def due_ms(self) -> float:
        """When (monotonic) `tick` has something to do; minus infinity: documents are ready; infinity: not before a
        call ends."""
        if any(pull.ready for pull in self.by_name.values()):
            return float("-inf")
        return min((pull.due_ms() for pull in self.by_name.values()), default=float("inf"))

    def ready(self, limit: int) -> dict[str, dict[bytes, Lane]]:
        """Some documents that are to be built again: type -> key -> lane. They stay until `built`."""
        found: dict[str, dict[bytes, Lane]] = {}
        for pull in self.by_name.values():
            for waiter, lane in pull.ready.items():
                if limit <= 0:
                    return found
                keys = found.setdefault(waiter.document, {})
                limit -= waiter.key not in keys
                keys[waiter.key] = min(keys.get(waiter.key, lane), lane)
        return found

    def built(self, taken: Mapping[str, Iterable[bytes]]) -> None:
        """These have been built, durably."""
        for document_type, keys in taken.items():
            for key in keys:
                for pull in self.by_name.values():
                    pull.ready.pop(Waiter(document_type, key), None)

    def is_quiet(self) -> bool:
        """Nothing is being asked, and no document waits for an answer."""
        return all(pull.is_quiet() for pull in self.by_name.values())
