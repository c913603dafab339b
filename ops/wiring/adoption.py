"""A running process and the flows that were applied meanwhile: whether it goes on, starts again with them, or ends."""

import subprocess
from collections.abc import Callable, Sequence

import msgspec

from argus.generations import load
from ops.wiring.store import Store
from repo.system import Generation, GenerationState

OUTPUT_CHARACTERS_MAX = 4_000


class Adoption:
    """`look` is called a few times a second; it stops the loop when this process must not go on as it is.

    adopting  the generation that it is to start again with; 0: none
    replaced  another generation works by now, and this process was not to take it over: the reason; "": not so
    problem   why it can't take over what was applied, and so goes on with what it has; "": it can
    """

    def __init__(self, store: Store, number: int, check: Sequence[str] | None, stop: Callable[[], None]) -> None:
        """check: the command that loads the applied flows as this process would, and prints their fingerprint as JSON;
        None: leave them to other processes."""
        self._store, self._number, self._check, self._stop = store, number, check, stop
        self._looked_at = -1
        self._state: GenerationState | None = None
        self._checking: subprocess.Popen[str] | None = None
        self._looked_into = 0
        self.adopting, self.replaced, self.problem = 0, "", ""

    def look(self) -> None:
        committed = self._store.repo.last_timestamp()
        if committed != self._looked_at:
            self._looked_at, self._state = committed, load(self._store.repo)
        state = self._state
        if state is None:
            return
        newest = state.next or state.current
        if newest.number == self._number:
            self.problem = ""
        elif self._check:
            self._look_into(state, newest, self._check)
        elif state.current.number != self._number:
            self._end(newest.number)

    def close(self) -> None:
        """Ends a check that is under way."""
        if self._checking is not None and self._checking.poll() is None:
            self._checking.kill()
            self._checking.wait()

    def _end(self, number: int) -> None:
        self.replaced = f"flows generation {number} has taken the place of {self._number}"
        self._stop()

    def _look_into(self, state: GenerationState, newest: Generation, check: Sequence[str]) -> None:
        """Loads them in another process first: this one could not go back."""
        if self._looked_into != newest.number:
            self.close()
            self._looked_into = newest.number
            self._checking = subprocess.Popen(check, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._checking is None or self._checking.poll() is None:
            return
        output, errors = self._checking.communicate()
        self._checking = None
        if fingerprint_of(output) == fingerprint(newest.hash):
            self.adopting = newest.number
            self._stop()
            return
        what = (
            errors.strip()
            or _mistakes(output)
            or "its flows file or handlers are not those that were applied (changed since?)"
        )
        if state.current.number != self._number:
            self._end(newest.number)
        self.problem = (
            f"flows generation {newest.number} can't be taken over here: {what[:OUTPUT_CHARACTERS_MAX]}. This process "
            f"goes on with {self._number}; mend it, then: adsindex flows apply"
        )


def _mistakes(output: str) -> str:
    try:
        errors = msgspec.json.decode(output).get("errors") or []
    except msgspec.DecodeError:
        return output
    return "; ".join(f"{one['file']}:{one['line']}: {one['message']}" for one in errors)


def fingerprint(generation: int) -> str:
    """Of an application, as commands print it."""
    return f"{generation:016x}"


def fingerprint_of(output: str) -> str:
    """What `adsindex flows check --json` found; "" when it found mistakes."""
    try:
        found = msgspec.json.decode(output)
    except msgspec.DecodeError:
        return ""
    return str(found.get("fingerprint") or "")
