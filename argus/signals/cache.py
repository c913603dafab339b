"""What was read of one signal, in memory: bounded in age and in number; that nothing is known is kept, too."""

from typing import NamedTuple

from msgspec.structs import replace

from argus.signals.answers import shape_of
from argus.signals.port import Key
from proto.flows.model import Signal
from proto.record import SignalReading


class Entry(NamedTuple):
    """until_ms: wall clock at which it is too old. The reading's state is "fresh" or "absent"."""

    reading: SignalReading
    until_ms: float


class Cache:
    """entries: looked at directly by builds, which is all that a document costs whose signals are known.

    Readings that are too old stay, as the last good ones, until there are too many: then those go that were read first.
    """

    def __init__(self, signal: Signal) -> None:
        self.entries: dict[Key, Entry] = {}
        self.shape = shape_of(signal)
        self._keys_max = signal.cache_keys_max
        self._age_ms, self._absent_age_ms = signal.max_age_s * 1000.0, signal.absent_max_age_s * 1000.0

    def until_ms(self, reading: SignalReading) -> float:
        """When (wall clock) a reading is too old."""
        return reading.fetched_ms + (self._absent_age_ms if reading.values is None else self._age_ms)

    def put(self, reading: SignalReading) -> Entry:
        """The newest reading of its key."""
        state = "absent" if reading.values is None else "fresh"
        if reading.state != state:
            reading = replace(reading, state=state)
        entries = self.entries
        entries.pop(reading.key, None)
        if len(entries) >= self._keys_max:
            del entries[next(iter(entries))]
        entry = entries[reading.key] = Entry(reading, self.until_ms(reading))
        return entry
