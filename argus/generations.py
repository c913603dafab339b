"""Which flows generations may run: the current one and the next. A worker that is neither refuses to start.

Only one generation works at a time. The next one takes over when no worker of the current one runs any more: what the
old dispatcher did not know to matter is then covered by the rebuilds, which begin after it (N2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from argus.describe import signature
from proto.codec import encode_key
from proto.errors import ConflictError, SettingsError
from repo.api import Repo, Transaction
from repo.system import (
    GENERATIONS,
    STATE,
    Generation,
    GenerationState,
    decode_generation,
    decode_generation_state,
    encode,
)

_KEY = encode_key(("admitted",))
_ATTEMPTS_MAX = 8
_PAST_KEPT = 64
_HISTORY_KEPT = 100


@dataclass(frozen=True, slots=True)
class Admission:
    """number: 1, 2, 3, ... in the order of admission; documents carry it. adopted: this start made it the current
    generation. since: part -> number of the generation that last changed it."""

    number: int
    adopted: bool
    first: bool
    since: Mapping[str, int]


def load(repo: Repo) -> GenerationState | None:
    """What is admitted; None in a new Repo."""
    return _decoded(_stored(repo)[0])


def history(repo: Repo) -> dict[int, Generation]:
    """The newest generations as they were admitted, by number; the newest first."""
    with repo.snapshot() as snapshot:
        rows = snapshot.scan(GENERATIONS, STATE, after=_key(0), before=_key(1 << 62), limit=_HISTORY_KEPT + 1)
    found = [decode_generation(version.value) for _, version in rows if version.value]
    return {one.number: one for one in reversed(found)}


def admit(repo: Repo, offered: Generation, alone: bool) -> Admission:
    """Lets a worker in, or raises SettingsError.

    alone: no other live process uses this Repo, so changed flows are adopted: they become current, with the next
    number. Of processes that start at once the first decides.
    """

    def change(state: GenerationState | None) -> GenerationState | None:
        if state is None:
            return GenerationState(_numbered(offered, 1, None))
        known = _admitted(state, offered.hash)
        if known is not None:
            if known is not state.current or known.text == offered.text:
                return None
            known.text = offered.text  # comments, and what only people read
            return state
        _refuse(state, offered, alone)
        return _replaced(state, _numbered(offered, state.last + 1, state.current))

    before, after = _change(repo, change)
    known = _admitted(after, offered.hash)
    assert known is not None
    return Admission(
        known.number, before is None or _admitted(before, offered.hash) is None, before is None, known.since
    )


def propose(repo: Repo, offered: Generation) -> GenerationState:
    """Makes flows the next generation (`flows apply`), instead of one that waits. Those that are current withdraw it.

    Raises SettingsError in a new Repo.
    """
    offered.applied = True

    def change(state: GenerationState | None) -> GenerationState | None:
        if state is None:
            raise SettingsError("nothing has run on this data folder yet: `adsindex run --flows FILE` admits the first")
        if state.next is not None and state.next.hash == offered.hash:
            return None
        if state.current.hash == offered.hash:
            if state.next is None and state.current.text == offered.text:
                return None
            state.current.text, state.next = offered.text, None
            return state
        state.last += 1
        state.next = _numbered(offered, state.last, state.current)
        return state

    return _change(repo, change)[1]


def promote(repo: Repo, number: int) -> None:
    """The next generation becomes the current one. Nothing happens when it is by now.

    Raises SettingsError when another one has taken its place.
    """

    def change(state: GenerationState | None) -> GenerationState | None:
        check_admitted(state, number)
        if state is None or state.next is None or state.next.number != number:
            return None
        return _replaced(state, state.next)

    _change(repo, change)


def check_admitted(state: GenerationState | None, number: int) -> None:
    """Raises SettingsError when this generation is neither current nor next."""
    if state is not None and number not in (state.current.number, state.next.number if state.next else 0):
        raise SettingsError(
            f"flows generation {number} was replaced by generation {(state.next or state.current).number}; this "
            "process ends. Start it with the flows and handlers that are admitted: `adsindex flows show` tells them"
        )


def mark_built(repo: Repo, name: str, signature: int) -> None:
    """Remembers that everything called `name` was brought up to date for `signature`."""

    def change(state: GenerationState | None) -> GenerationState | None:
        if state is None or state.built.get(name) == signature:
            return None
        state.built[name] = signature
        return state

    _change(repo, change)


def _refuse(state: GenerationState, offered: Generation, alone: bool) -> None:
    if state.next is not None:
        raise SettingsError(
            f"these flows or handlers are neither those of generation {state.current.number}, which is current, nor of "
            f"{state.next.number}, which is next: start with those (adsindex flows show), or admit these: "
            "adsindex flows apply"
        )
    if not alone:
        raise SettingsError(
            "this process has other flows or handlers than those that are running on this data folder; start with the "
            "same flows file and handlers, let the others take these over (adsindex flows apply), or stop the other "
            "processes first (adsindex status lists them)"
        )
    if state.current.applied and offered.hash in state.past:
        raise SettingsError(
            f"these are flows and handlers of generation {state.past[offered.hash]}, which generation "
            f"{state.current.number} has replaced. To go back to them: adsindex flows apply"
        )


def _admitted(state: GenerationState, hash_: int) -> Generation | None:
    """The one with this hash, current or next."""
    if state.current.hash == hash_:
        return state.current
    return state.next if state.next is not None and state.next.hash == hash_ else None


def _numbered(offered: Generation, number: int, before: Generation | None) -> Generation:
    known = {} if before is None else {part: signature(items) for part, items in before.description.items()}
    offered.number = number
    offered.since = {
        part: before.since.get(part, number) if before is not None and known.get(part) == signature(items) else number
        for part, items in offered.description.items()
    }
    return offered


def _replaced(state: GenerationState, by: Generation) -> GenerationState:
    past = {hash_: number for hash_, number in state.past.items() if hash_ != by.hash}
    past[state.current.hash] = state.current.number
    kept = dict(sorted(past.items(), key=lambda one: -one[1])[:_PAST_KEPT])
    return GenerationState(by, None, max(state.last, by.number), state.built, kept)


_Change = Callable[[GenerationState | None], GenerationState | None]


def _change(repo: Repo, change: _Change) -> tuple[GenerationState | None, GenerationState]:
    """Stores what `change` makes of the state, which is its own to change (None: it may stay), however many others do
    the same; returns the state before and after."""
    for _ in range(_ATTEMPTS_MAX):
        stored, timestamp = _stored(repo)
        changed = change(_decoded(stored))
        state = _decoded(stored)
        if changed is None:
            assert state is not None
            return state, state
        transaction = Transaction(timestamp)
        transaction.write(GENERATIONS, _KEY, STATE, encode(changed))
        if state is None or changed.last > state.last:
            newest = changed.next or changed.current
            transaction.write(GENERATIONS, _key(newest.number), STATE, encode(newest))
            transaction.delete(GENERATIONS, _key(newest.number - _HISTORY_KEPT), STATE)
        if repo.commit([transaction])[0].committed:
            return state, changed
    raise ConflictError("other processes change the admitted flows all the time; try again")


def _key(number: int) -> bytes:
    return encode_key(("generation", number))


def _stored(repo: Repo) -> tuple[bytes | None, int]:
    with repo.snapshot() as snapshot:
        (stored,) = snapshot.read(GENERATIONS, STATE, [_KEY])
        return None if stored is None else stored.value, snapshot.timestamp


def _decoded(stored: bytes | None) -> GenerationState | None:
    return None if stored is None else decode_generation_state(stored)
