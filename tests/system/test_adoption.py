"""A running process looks at what was applied: takes it over only when it can load it, ends when it may not go on."""

import time

import pytest

from argus.describe import generation_of
from argus.generations import promote, propose
from argus.registry import register
from ops.wiring.adoption import Adoption, fingerprint
from proto.flows.loader import loads
from tests.support.processes import PATIENCE_S
from tests.support.whole import Whole
from tests.system.club import FLOWS

MORE = register(loads(FLOWS + 'team_id = "team.id"\n'))


class Watched:
    """An Adoption of an index whose process has generation 1; `stopped` counts."""

    def __init__(self, index: Whole, *check: str) -> None:
        self.stopped = 0
        self.adoption = Adoption(index.process.store, 1, check, self.stop)

    def stop(self) -> None:
        self.stopped += 1

    def looks(self) -> Adoption:
        """Until it has decided."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.stopped or self.adoption.problem) and time.monotonic() < deadline:
            self.adoption.look()
        return self.adoption


def test_what_can_be_loaded_is_taken_over(index: Whole) -> None:
    watched = Watched(index, "echo", f'{{"fingerprint": "{fingerprint(MORE.generation)}"}}')
    watched.adoption.look()
    assert not watched.stopped, "nothing was applied yet"
    propose(index.process.store.repo, generation_of(MORE))
    assert watched.looks().adopting == 2 and watched.stopped == 1


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (("echo", '{"fingerprint": "ffff"}'), "changed since?"),
        (("echo", '{"errors": [{"file": "a.toml", "line": 7, "message": "wrong"}]}'), "a.toml:7: wrong"),
        (("sh", "-c", "echo no such module >&2; exit 2"), "no such module"),
    ],
)
def test_what_can_not_be_loaded_is_not_taken_over(index: Whole, check: tuple[str, ...], told: str) -> None:
    watched = Watched(index, *check)
    propose(index.process.store.repo, generation_of(MORE))
    adoption = watched.looks()
    assert told in adoption.problem and "goes on with 1" in adoption.problem and not watched.stopped
    propose(index.process.store.repo, generation_of(register(index.flows)))
    adoption.look()
    assert not adoption.problem and not watched.stopped, "it was withdrawn"


@pytest.mark.parametrize("check", [(), ("echo", "{}")], ids=["left to others", "can't be loaded"])
def test_a_process_whose_flows_were_replaced_ends(index: Whole, check: tuple[str, ...]) -> None:
    watched = Watched(index, *check)
    propose(index.process.store.repo, generation_of(MORE))
    promote(index.process.store.repo, 2)
    adoption = watched.looks()
    assert watched.stopped and not adoption.adopting
    assert adoption.replaced == "flows generation 2 has taken the place of 1"
