"""Lets a process in: its flows must be admitted, and only one generation works at a time.

A process first says that it lives, then learns whether it may run; one that takes over first makes its generation the
current one, then waits until nobody lives who may not know that yet. So whatever starts, ends or is killed in between,
no two generations work at once.
"""

from collections.abc import Callable, Sequence

from argus.describe import generation_of
from argus.generations import Admission, admit, check_admitted, load, promote
from argus.registry import Application
from ops.engine.liveness import LiveProcess
from ops.wiring.store import Store
from proto.errors import SettingsError

NOT_SAID = 0
STARTING_LOOK_MS = 10.0
STARTING_MS_MAX = 10_000.0

Patience = Callable[[Sequence[LiveProcess]], None]
"""Called again and again while processes of older flows are at work: waits a little, or raises."""


def refuse(older: Sequence[LiveProcess]) -> None:
    """The patience of those who can't wait."""
    named = ", ".join(f"{one.role} ({one.pid})" for one in older)
    raise SettingsError(f"these flows take over when the processes of the older ones have ended: {named}")


def let_in(store: Store, application: Application, role: str, patience: Patience) -> Admission:
    """Returns when this process may work. Raises SettingsError when its flows are not admitted (any more), and what
    `patience` raises."""
    alone = not store.liveness.others()
    store.liveness.hold(role)
    admission = admit(store.repo, generation_of(application, store.clock.now_ms()), alone)
    store.liveness.say(admission.number)
    _wait(store, admission.number, patience)
    promote(store.repo, admission.number)
    _wait(store, admission.number, patience)  # for who started meanwhile, and does not know yet
    return admission


def _wait(store: Store, number: int, patience: Patience) -> None:
    until_ms = store.clock.monotonic_ms() + STARTING_MS_MAX
    while older := [one for one in store.liveness.others() if one.generation < number]:
        if all(one.generation == NOT_SAID for one in older) and store.clock.monotonic_ms() < until_ms:
            store.bell.wait(STARTING_LOOK_MS)  # they have just begun, and will say in a moment which flows they have
            continue
        patience(older)
        check_admitted(load(store.repo), number)
