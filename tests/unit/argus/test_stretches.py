"""Large fan-outs in the order of keys: found ahead, in memory, and found again by whoever comes after."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from argus import stretches
from argus.climb import Climber, Frame, encode_frames
from argus.processor import FANOUT_INLINE_MAX
from argus.stretches import JOBS_MAX, Stretches
from tests.support.argus_world import World, put

MANY = FANOUT_INLINE_MAX + 44


class Undone(Exception):
    """What ends a group in these tests."""


class Compared(bytes):
    """A key that counts how often any was compared."""

    count = 0

    def __lt__(self, other: bytes) -> bool:
        Compared.count += 1
        return super().__lt__(other)


class Scattered(Climber):
    """Finds keys that lie anywhere."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys

    def climb(self, snapshot: Any, target: Any, frames: list[Frame], limit: int) -> list[bytes]:
        found, self._keys = self._keys[:limit], self._keys[limit:]
        if not self._keys:
            frames.clear()
        return found


@pytest.fixture
def campaign(world: World) -> World:
    """A campaign with many ads that has just got another name; its groups' ads lie scattered over all keys."""
    world.edit(
        put("campaigns", id=1, name="old"),
        *(put("groups", id=at, campaign_id=1) for at in range(7)),
        *(put("ads", id=at, group_id=at % 7) for at in range(MANY)),
    )
    world.commit(put("campaigns", id=1, name="new"))
    world.deliver()
    return world


def renamed(world: World) -> list[int]:
    """Ads whose documents show the new name."""
    return [at for at in range(MANY) if (fields := world.fields(at)) is not None and fields["campaign"] == "new"]


def step_until(world: World, limit: int, done: Callable[[], object]) -> int:
    """Slices of jobs; how many it took."""
    slices = 0
    while not done():
        assert world.jobs.step(limit), "there is something left to do"
        slices += 1
    return slices


def test_documents_are_built_in_the_order_of_their_keys(campaign: World) -> None:
    for slices in range(1, 4):
        assert campaign.jobs.step(50)
        assert renamed(campaign) == list(range(50 * slices))


def test_finding_alone_stores_nothing(campaign: World) -> None:
    before = campaign.repo.last_timestamp()
    found = step_until(campaign, 1, lambda: campaign.repo.last_timestamp() > before)
    assert found > MANY // 20 and renamed(campaign) == [0]


def test_what_was_taken_and_undone_is_taken_again(campaign: World) -> None:
    assert campaign.jobs.step(50)
    with pytest.raises(Undone), campaign.log.group():
        assert campaign.jobs.step(50)
        raise Undone
    campaign.jobs.forget()
    assert renamed(campaign) == list(range(50))
    assert campaign.jobs.step(50)
    assert renamed(campaign) == list(range(100)), "those that were built already are passed over"


def test_what_is_passed_over_costs_a_look(campaign: World) -> None:
    counts = campaign.parts.builders["ad"].counts
    assert campaign.jobs.step(160) == 160
    campaign.jobs.forget()
    before = counts.already
    while counts.already == before:
        cost = campaign.jobs.step(10)
    assert counts.already == before + 160
    assert cost == 10, "the length of slices follows the time of what they cost"


@pytest.mark.parametrize("bound", ["DOCUMENTS_MAX", "CLIMBS_MAX"])
def test_a_fan_out_of_several_stretches_builds_each_document_once(
    campaign: World, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(stretches, bound, 64 if bound == "DOCUMENTS_MAX" else 2)
    (job,) = campaign.jobs.running()
    counts = campaign.parts.builders["ad"].counts
    before, shares = counts.built, set[bytes]()
    while campaign.jobs.step(3):
        shares.update(share for one in campaign.jobs.running() for share in one.shares.values())
    assert len(shares) > 3, "where a stretch ends is stored"
    assert renamed(campaign) == list(range(MANY)) and counts.built - before == MANY
    stored, _ = campaign.jobs._states.stored(job.id)
    assert stored is not None and (stored.state, stored.done) == ("done", MANY)


def test_the_stretches_of_few_jobs_are_kept() -> None:
    known, share = Stretches(), encode_frames([Frame(0, b"row")])
    first = known.of("0", share)
    assert known.of("0", share) is first
    for number in range(1, JOBS_MAX):
        known.of(f"{number}", share)
    assert known.of("0", share) is first
    known.of("another", share)
    assert known.of("0", share) is not first


def test_a_stretch_of_another_share_is_another_one() -> None:
    known = Stretches()
    first = known.of("0", encode_frames([Frame(0, b"row")]))
    assert known.of("0", encode_frames([Frame(0, b"row", b"after")])) is not first


def test_no_slice_puts_a_whole_stretch_in_order() -> None:
    keys: list[bytes] = [Compared(b"%04d" % number) for number in range(1000)]
    climber: Any = Scattered(random.Random(1).sample(keys, 1000) + keys[:100])
    nothing: Any = None
    stretch, taken, compared = Stretches().of("0", encode_frames([Frame(0, b"row")])), list[bytes](), list[int]()
    while not stretch.is_found or stretch.rest():
        Compared.count = 0
        if stretch.is_found:
            taken += stretch.take(10)
        else:
            stretch.find(climber, nothing, nothing, 10)
        compared.append(Compared.count)
    assert taken == keys
    assert max(compared) < 1000, "all at once take 9,000"
