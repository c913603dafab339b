"""Which flows generations may run: the current one and the next. A worker that is neither refuses to start."""

from dataclasses import dataclass

from proto.codec import encode_key
from proto.errors import SettingsError
from repo.api import Repo, Transaction
from repo.system import GENERATIONS, STATE, GenerationState, decode_generation_state, encode

_KEY = encode_key(("admitted",))


@dataclass(frozen=True, slots=True)
class Admission:
    """number: 1, 2, 3, ... in the order of adoption; documents carry it. adopted: this start made it the current
    generation."""

    number: int
    adopted: bool
    first: bool


def load(repo: Repo) -> GenerationState | None:
    """What is admitted; None in a new Repo."""
    with repo.snapshot() as snapshot:
        (stored,) = snapshot.read(GENERATIONS, STATE, [_KEY])
    return None if stored is None or stored.value is None else decode_generation_state(stored.value)


def admit(repo: Repo, generation: int, text: str, alone: bool) -> Admission:
    """Lets a worker in, or raises SettingsError.

    generation: of the worker's flows and functions. alone: no other live process uses this Repo, so changed flows are
    adopted: they become current, with the next number.
    """
    state = load(repo)
    if state is None:
        _store(repo, GenerationState(generation, number=1, numbers={generation: 1}, text=text))
        return Admission(1, True, True)
    if generation in (state.current, state.next):
        return Admission(state.numbers[generation], False, False)
    if not alone:
        raise SettingsError(
            "this process has other flows or handlers than those that are running on this data folder; "
            "stop the other processes first (adsindex status lists them), or start with the same flows file and handlers"
        )
    number = max(state.numbers.values()) + 1
    numbers = {state.current: state.numbers[state.current], generation: number}
    _store(repo, GenerationState(generation, 0, number, numbers, state.built, text))
    return Admission(number, True, False)


def mark_built(repo: Repo, name: str, signature: int) -> None:
    """Remembers that everything called `name` was rebuilt for `signature`."""
    state = load(repo)
    if state is not None and state.built.get(name) != signature:
        state.built[name] = signature
        _store(repo, state)


def _store(repo: Repo, state: GenerationState) -> None:
    with repo.snapshot() as snapshot:
        transaction = Transaction(snapshot.timestamp)
    transaction.write(GENERATIONS, _KEY, STATE, encode(state))
    repo.commit([transaction])
