"""What the documents of a batch get from signals: a look into a dict for each, while the values are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argus.fetch import Fetched
from argus.plan import SignalKey
from argus.signals.port import Key
from argus.signals.pull import Pull, Use
from argus.signals.waiting import Waiter
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.record import LastBuild, SignalReading


@dataclass(slots=True)
class Resolved:
    """readings: of each document, one for each signal; blocked: document's place in the batch -> why it is not to be
    built; awaited: (place, signal, key): the document is to be built again when the answer comes."""

    readings: Sequence[tuple[SignalReading, ...]]
    blocked: dict[int, str] = field(default_factory=dict)
    awaited: list[tuple[int, Pull, Key]] = field(default_factory=list)


class Resolver:
    """The signals of one document type."""

    def __init__(self, document_type: str, keys: Sequence[SignalKey], pulls: Mapping[str, Pull], clock: Clock) -> None:
        self._type, self._clock = document_type, clock
        self._keys = [(pulls[one.signal.name], one.slot.number, one.at) for one in keys]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._keys)

    def resolve(self, stored: Sequence[LastBuild], fetched: Fetched) -> Resolved:
        """Adds a slot for each signal to what was fetched. stored: of each document, what it was last built with.

        Starts calls for what is not known, and does not wait for them.
        """
        now_ms = self._clock.now_ms()
        columns: list[list[SignalReading]] = []
        resolved = Resolved(())
        before: dict[int, Sequence[SignalReading]] = {}
        for pull, number, at in self._keys:
            entries = pull.cache.entries
            readings: list[SignalReading] = []
            values: list[Any] = []
            slow = 0
            for place, row in enumerate(fetched.slot(number)):
                entry = entries.get(row[at])
                if entry is not None and entry.until_ms > now_ms:
                    reading = entry.reading
                    values.append(reading.values or pull.nulls)
                else:
                    slow += 1
                    if place not in before:
                        before[place] = stored[place].read_signals() or ()
                    use = pull.use(row[at], _of(pull.signal.name, before[place]), now_ms)
                    reading = self._noted(resolved, place, pull, use)
                    values.append(use.values)
                readings.append(reading)
            pull.counts.hits += len(readings) - slow
            pull.start_calls()
            fetched.signals.append(values)
            columns.append(readings)
        resolved.readings = list(zip(*columns, strict=True))
        return resolved

    def await_answers(self, resolved: Resolved, keys: Sequence[bytes], lanes: Sequence[int]) -> None:
        """Documents of the batch that are to be built again later. keys, lanes: of each document."""
        for place, pull, key in resolved.awaited:
            pull.await_answer(key, Waiter(self._type, keys[place]), Lane(lanes[place]))

    def ask(self, fetched: Fetched, stored: Callable[[int], Sequence[SignalReading]]) -> list[tuple[Pull, Key]]:
        """Asks for what is not known of the documents to come; what is to be waited for.

        stored: place of a document -> what it was last built with: no answer may be older than that.
        """
        now_ms = self._clock.now_ms()
        asked: dict[tuple[Pull, Key], None] = {}
        for pull, number, at in self._keys:
            entries = pull.cache.entries
            for place, row in enumerate(fetched.slot(number)):
                key = row[at]
                entry = entries.get(key)
                if key is None or (entry is not None and entry.until_ms > now_ms):
                    continue
                entry = pull.known(key, _of(pull.signal.name, stored(place)))
                if (entry is None or entry.until_ms <= now_ms) and pull.want(key):
                    asked[pull, key] = None
            pull.start_calls()
        return list(asked)

    def _noted(self, resolved: Resolved, place: int, pull: Pull, use: Use) -> SignalReading:
        if use.blocked:
            resolved.blocked[place] = use.blocked
            pull.counts.blocked += 1
        if use.awaited:
            resolved.awaited.append((place, pull, use.reading.key))
        return use.reading


def _of(signal: str, readings: Sequence[SignalReading]) -> SignalReading | None:
    return next((reading for reading in readings if reading.signal == signal), None)
