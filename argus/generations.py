"""Which flows generations may run: the current one and the next. A worker that is neither refuses to start."""

from dataclasses import dataclass

from proto.codec import encode_key
from proto.errors import ConflictError, SettingsError
from repo.api import Repo, Transaction
from repo.system import GENERATIONS, STATE, GenerationState, decode_generation_state, encode

_KEY = encode_key(("admitted",))
_ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Admission:
    """number: 1, 2, 3, ... in the order of adoption; documents carry it. adopted: this start made it the current
    generation."""

    number: int
    adopted: bool
    first: bool


def load(repo: Repo) -> GenerationState | None:
    """What is admitted; None in a new Repo."""
    return _stored(repo)[0]


def admit(repo: Repo, generation: int, text: str, alone: bool) -> Admission:
    """Lets a worker in, or raises SettingsError.

    generation: of the worker's flows and functions. alone: no other live process uses this Repo, so changed flows are
    adopted: they become current, with the next number. Of processes that start at once the first decides.
    """
    for _ in range(_ATTEMPTS_MAX):
        state, timestamp = _stored(repo)
        if state is None:
            number, adopted = 1, GenerationState(generation, number=1, numbers={generation: 1}, text=text)
        elif generation in (state.current, state.next):
            return Admission(state.numbers[generation], False, False)
        elif not alone:
            raise SettingsError(
                "this process has other flows or handlers than those that are running on this data folder; "
                "stop the other processes first (adsindex status lists them), or start with the same flows file and "
                "handlers"
            )
        else:
            number = max(state.numbers.values()) + 1
            numbers = {state.current: state.numbers[state.current], generation: number}
            adopted = GenerationState(generation, 0, number, numbers, state.built, text)
        if _store(repo, adopted, timestamp):
            return Admission(number, True, state is None)
    raise ConflictError("other processes change the admitted flows all the time; try again")


def mark_built(repo: Repo, name: str, signature: int) -> None:
    """Remembers that everything called `name` was rebuilt for `signature`."""
    for _ in range(_ATTEMPTS_MAX):
        state, timestamp = _stored(repo)
        if state is None or state.built.get(name) == signature:
            return
        state.built[name] = signature
        if _store(repo, state, timestamp):
            return
    raise ConflictError("other processes change the admitted flows all the time; try again")


def _stored(repo: Repo) -> tuple[GenerationState | None, int]:
    with repo.snapshot() as snapshot:
        (stored,) = snapshot.read(GENERATIONS, STATE, [_KEY])
        timestamp = snapshot.timestamp
    return None if stored is None or stored.value is None else decode_generation_state(stored.value), timestamp


def _store(repo: Repo, state: GenerationState, timestamp: int) -> bool:
    """False when somebody has written it since `timestamp`."""
    transaction = Transaction(timestamp)
    transaction.write(GENERATIONS, _KEY, STATE, encode(state))
    return repo.commit([transaction])[0].committed
