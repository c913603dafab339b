"""What a seed stands for: its faults, its actors; and what was wrong with its run."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.simulation.actors.bank import Bank
from tests.simulation.actors.client import Actor
from tests.simulation.actors.crowd import Crowd
from tests.simulation.actors.documents import Documents
from tests.simulation.actors.garbage import Garbage
from tests.simulation.actors.lists import Lists
from tests.simulation.actors.omid import Omid
from tests.simulation.actors.registers import Registers
from tests.simulation.actors.trie import Trie
from tests.simulation.checkers.snapshot_isolation import violations
from tests.simulation.faults.plan import drawn
from tests.simulation.limits import small
from tests.simulation.scheduler import NeverEndsError
from tests.simulation.trace import Trace
from tests.simulation.world import World

ACTORS: Sequence[Callable[[], Actor]] = (Bank, Lists, Registers, Trie)
DOCUMENTS = 0.15
"""How many runs are about documents; such a one costs twice as much."""
CROWD = 0.6
"""How many of the others have somebody who commits a lot at once."""
OMID = 0.25
"""How many runs have clients of Omid's beside ours."""
EVENTS_TOLD = 150


@dataclass
class Result:
    """violations: what was wrong; none if all was well. attempts: how many transactions were tried. how: what the
    seed was run with."""

    seed: int
    about: str
    violations: list[str]
    attempts: int
    trace: Trace
    how: str = ""

    def told(self, events: int = EVENTS_TOLD, actors: Sequence[str] = ()) -> str:
        """All that is needed to find out why."""
        return "\n".join(
            [
                f"seed {self.seed}: {self.about}",
                f"The last {events} events:",
                self.trace.last(events, actors),
                f"seed {self.seed} violates:",
                *(f"  - {one}" for one in self.violations[:20]),
                f"Again: make simulate SEEDS=1 FROM={self.seed}{self.how}",
            ]
        )


def run(seed: int, documents: bool = False) -> Result:
    """The same for the same seed, always. documents: a run about documents, whatever the seed says."""
    random = Random(seed)
    plan = drawn(random)
    steps = random.randint(3, 6)
    if random.random() < DOCUMENTS or documents:
        actors: list[Actor] = [Documents()]
        plan = replace(plan, slow_flush=random.choice((0.0, 0.6, 0.6)))
        steps += 3
    else:
        actors = [make() for make in random.sample(ACTORS, random.randint(1, 2))]
        if random.random() < CROWD or plan.batches:
            actors.append(Crowd())
    if random.random() < OMID:
        actors.append(Omid())
    if plan.garbage:
        actors.append(Garbage(plan.clock_jumps > 0))
        steps += 2
    world = World(seed, plan, actors, clients=random.randint(2, 4), steps=steps)
    about = f"{', '.join(type(actor).__name__ for actor in actors)} under {plan.told() or 'no faults'}"
    gc.disable()  # it ends with the run: what is garbage meanwhile hangs together
    try:
        with small(plan.small):
            world.run()
        found = [*world.failures, *violations(world.recorder.history)]
    except (Exception, NeverEndsError) as error:
        found = [f"{type(error).__name__}: {error}"]
    finally:
        gc.enable()
    how = " DOCUMENTS=1" if documents else ""
    return Result(seed, about, found, len(world.recorder.history.attempts), world.scheduler.trace, how)
