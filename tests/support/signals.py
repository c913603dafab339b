"""A service of signals that a test leads by hand: which calls are made, when each ends, and how."""

from collections.abc import Mapping, Sequence
from typing import Any

from argus.api import Reading
from argus.signals.port import Call, Finished, Key
from argus.signals.threads import made
from proto.flows.model import Signal


class HandCaller:
    """A Caller. known: signal -> key -> what the service says; keys that are not there have no answer. Calls end when
    the test says so."""

    def __init__(self, known: Mapping[str, Mapping[Key, Reading | None]] | None = None) -> None:
        self.known: dict[str, dict[Key, Any]] = {name: dict(said) for name, said in (known or {}).items()}
        self.signals: Mapping[str, Signal] = {}
        self.calls: list[Call] = []
        self._open: list[Call] = []
        self._ended: list[Finished] = []

    def start(self, call: Call) -> None:
        self.calls.append(call)
        self._open.append(call)

    def finished(self) -> list[Finished]:
        ended, self._ended = self._ended, []
        return ended

    def asked(self) -> list[Key]:
        """Keys of the calls that are under way."""
        return [key for call in self._open for key in call.keys]

    def answer(self) -> None:
        """All calls under way end, with what is known now."""
        taken, self._open = self._open, []
        for call in taken:
            said = self.known.get(call.signal, {})

            def fetch(keys: Sequence[Key], said: Mapping[Key, Any] = said) -> dict[Key, Any]:
                return {key: said[key] for key in keys if key in said}

            self._ended.append(made(self.signals[call.signal], fetch, call))

    def fail(self, error: str = "down") -> None:
        """All calls under way end without an answer."""
        taken, self._open = self._open, []
        self._ended += [Finished(call, error=error) for call in taken]
