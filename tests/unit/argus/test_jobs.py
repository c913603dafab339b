"""Long work: large fan-outs, refreshes, handlers over all rows; resumed, paused, cancelled, failing."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from argus import slices
from argus.api import Change, HandlerContext, handler
from argus.job_states import FINISHED_KEPT, JobStates
from argus.job_waits import BACK_OFF_MS, ELSEWHERE_MS
from argus.jobs import TURNS, Jobs
from argus.processor import FANOUT_INLINE_MAX
from proto.codec import encode_key
from proto.errors import ConflictError, UnavailableError
from proto.events import Cause
from proto.lane import Lane
from repo.api import Transaction
from repo.system import JOBS, STATE, JobState, decode_job_state, encode
from tests.support.argus_world import ADS_FLOWS, World, key_of, put
from tests.unit.argus.conftest import MakeWorld

MANY = FANOUT_INLINE_MAX + 44


@pytest.fixture
def campaign(world: World) -> World:
    """One campaign with many ads, all built."""
    world.edit(
        put("campaigns", id=1, name="old"),
        *(put("groups", id=at, campaign_id=1) for at in range(7)),
        *(put("ads", id=at, group_id=at % 7) for at in range(MANY)),
    )
    transaction = Transaction(world.repo.last_timestamp())
    for name in stored(world):
        transaction.delete(JOBS, encode_key((name,)), STATE)
    world.repo.commit([transaction])
    world.jobs.forget()
    assert world.jobs.running() == []
    return world


def renamed(world: World, name: str) -> int:
    """How many documents show the campaign's name."""
    return sum((fields := world.fields(at)) is not None and fields["campaign"] == name for at in range(MANY))


def stored(world: World) -> dict[str, JobState]:
    with world.repo.snapshot() as snapshot:
        found = [decode_job_state(version.value or b"") for _, version in snapshot.scan(JOBS, STATE)]
    return {job.id: job for job in found}


def write(world: World, job: JobState) -> None:
    """As another process would."""
    transaction = Transaction(world.repo.last_timestamp())
    transaction.write(JOBS, encode_key((job.id,)), STATE, encode(job))
    assert world.repo.commit([transaction])[0].committed


def refreshing(world: World, name: str, lane: int = Lane.LOW, started_ms: float = 0.0) -> None:
    """A refresh of which this process has a share."""
    job = JobState(id=name, kind="refresh", lane=lane, at=1, target="ad", cursor=b"\1", started_ms=started_ms)
    job.shares[""] = world.jobs._slices.hand_out(job)
    write(world, job)


def set_state(world: World, state: str) -> None:
    for job in stored(world).values():
        if job.state in ("running", "paused"):
            job.state = state
            job.finished_ms = 1.0 if state == "cancelled" else 0.0
            write(world, job)


def elsewhere(work: Callable[[], None]) -> None:
    """Another thread does it: what this one has in its group is not seen there, and does not undo it."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_large_fan_out_becomes_a_job_and_ends(campaign: World) -> None:
    change = campaign.commit(put("campaigns", id=1, name="new"), lane=Lane.HIGH)
    campaign.deliver()
    (job,) = campaign.jobs.running()
    assert (job.kind, job.lane, job.at, job.target) == ("fanout", Lane.HIGH, change, "ad:group.campaign")
    assert campaign.jobs.holds() == [change] and renamed(campaign, "new") == 0
    campaign.settle(slice_rows=50)
    assert renamed(campaign, "new") == MANY and campaign.jobs.running() == [] and campaign.jobs.holds() == []
    (done,) = stored(campaign).values()
    assert (done.state, done.done) == ("done", MANY)


SIBLINGS = """
[tables.groups]
source = "groups"
key = "id"
columns = { id = "int", name = "str" }
collections = { ads = "ads.group_id limit 3" }

[tables.ads]
source = "ads"
key = "id"
columns = { id = "int", group_id = "int", bid = "int" }
references = { group = "group_id -> groups" }

[documents.ad]
root = "ads"
fields = { beside = "group.ads.bid" }
"""


def test_rows_of_one_collection_fan_out_once(make_world: MakeWorld) -> None:
    """Each of n rows is shown by n documents: that is n documents to build, and not n times n."""
    world = make_world(SIBLINGS)
    world.edit(*(put("groups", id=at) for at in (1, 2)), *(put("ads", id=at, group_id=1) for at in range(MANY)))
    before = len(stored(world))
    change = world.commit(*(put("ads", id=at, group_id=1, bid=at) for at in range(MANY)))
    world.commit(*(put("ads", id=at, group_id=1, bid=at + 1) for at in range(MANY)))
    world.deliver()
    (job,) = world.jobs.running()
    assert " groups/1@" in job.id and world.jobs.holds() == [change], "readers that wait for the older change wait on"
    world.settle()
    assert all(world.fields(at) == {"beside": [1, 2, 3]} for at in range(MANY))
    world.commit(*(put("ads", id=at, group_id=2, bid=at) for at in range(2)))
    world.deliver()
    assert [" groups/1@" in job.id for job in world.jobs.running()] == [True, False], "what they left, and came to"
    world.settle()
    assert [world.fields(at) for at in (0, 2)] == [{"beside": [0, 1]}, {"beside": [3, 4, 5]}]
    assert len(stored(world)) - before == 3


def test_a_small_fan_out_is_built_at_once(campaign: World) -> None:
    campaign.commit(put("groups", id=1, campaign_id=1, status="ON"))
    campaign.deliver()
    assert campaign.jobs.running() == [] and campaign.fields(1)["status"] == "ON"  # type: ignore[index]


def test_a_job_goes_on_in_another_process_after_any_slice(campaign: World) -> None:
    campaign.commit(put("campaigns", id=1, name="new"))
    campaign.deliver()
    world, slices = campaign, 0
    while world.jobs.step(20):
        slices += 1
        world = world.again()
    assert slices >= MANY // 20 and renamed(world, "new") == MANY


def test_a_change_that_is_offered_again_starts_no_second_job(campaign: World) -> None:
    campaign.commit(put("campaigns", id=1, name="new"))
    items = campaign.items(Lane.HIGH)
    campaign.argus.process(items)
    campaign.settle()
    campaign.argus.process(items)
    assert campaign.jobs.running() == [] and len(stored(campaign)) == 1


def test_a_paused_job_waits_and_a_cancelled_one_never_goes_on(campaign: World) -> None:
    campaign.commit(put("campaigns", id=1, name="new"))
    campaign.deliver()
    assert campaign.jobs.step(20) == 20
    set_state(campaign, "paused")
    assert campaign.jobs.step(20) == 0 and len(campaign.jobs.running()) == 1
    set_state(campaign, "running")
    assert campaign.jobs.step(20) == 20
    set_state(campaign, "cancelled")
    assert campaign.jobs.step(20) == 0 and campaign.jobs.running() == []


def test_a_pause_during_a_slice_is_not_overwritten(campaign: World) -> None:
    campaign.commit(put("campaigns", id=1, name="new"))
    campaign.deliver()
    campaign.repo.before_commit = lambda: elsewhere(lambda: set_state(campaign, "paused"))
    assert campaign.jobs.step(20) == 20
    assert [(job.state, job.done) for job in stored(campaign).values()] == [("paused", 20)]
    assert campaign.jobs.step(20) == 0
    set_state(campaign, "running")
    campaign.repo.before_commit = lambda: elsewhere(lambda: set_state(campaign, "cancelled"))
    with pytest.raises(ConflictError):
        campaign.jobs.step(20)
    assert renamed(campaign, "new") == 20, "the slice was undone"
    assert campaign.jobs.running() == [] and campaign.jobs.due_ms() == float("inf")


def test_of_two_processes_that_begin_a_job_at_once_one_does(campaign: World) -> None:
    theirs = JobState(id="refresh ad 00000007", kind="refresh", lane=Lane.LOW, at=1, target="ad", cursor=b"\1", done=3)
    campaign.repo.before_commit = lambda: elsewhere(lambda: write(campaign, theirs))
    assert not campaign.jobs.refresh("ad", 7)
    assert [(job.id, job.done) for job in stored(campaign).values()] == [(theirs.id, 3)]
    assert not campaign.jobs.refresh("ad", 7) and [job.id for job in campaign.jobs.running()] == [theirs.id]


def test_jobs_of_other_processes_are_seen(campaign: World) -> None:
    assert campaign.jobs.running() == [] and campaign.jobs.due_ms() == float("inf")
    write(campaign, JobState(id="mine", kind="refresh", lane=Lane.LOW, at=1, target="ad", cursor=b"\1"))
    assert campaign.jobs.due_ms() == -float("inf")
    assert [job.id for job in campaign.jobs.running()] == ["mine"]
    scanned: list[str] = []
    campaign.engine.snapshot = noting_scans(campaign.engine.snapshot, scanned)  # type: ignore[method-assign]
    campaign.commit(put("words", id=1))
    campaign.jobs.running()
    assert scanned == [], "no job was written since"


def noting_scans(snapshot: Callable[..., Any], scanned: list[str]) -> Callable[..., Any]:
    """Notes the tables that snapshots scan."""

    def noting(*arguments: Any) -> Any:
        made = snapshot(*arguments)
        scan = made.scan
        made.scan = lambda table, *rest, **named: (scanned.append(table), scan(table, *rest, **named))[1]
        return made

    return noting


def test_a_job_that_fails_waits_longer_each_time_and_holds_up_nobody(campaign: World) -> None:
    for name, started in (("bad", 1.0), ("good", 2.0)):
        refreshing(campaign, name, started_ms=started)
    failing(campaign, lambda job: job.id == "bad")
    with pytest.raises(UnavailableError):
        campaign.jobs.step(20)
    assert campaign.jobs.step(20) == 20
    (bad, good) = (stored(campaign)[name] for name in ("bad", "good"))
    assert (bad.attempts, bad.error, bad.state) == (1, "UnavailableError: not now", "running")
    assert good.done == 20 and good.error == ""
    campaign.clock.ms += BACK_OFF_MS
    with pytest.raises(UnavailableError):
        campaign.jobs.step(20)
    campaign.clock.ms += BACK_OFF_MS
    assert campaign.jobs.step(20) == 20, "its second wait is longer"
    assert stored(campaign)["bad"].attempts == 2
    campaign.settle()
    assert campaign.jobs.due_ms() == campaign.clock.ms + BACK_OFF_MS


def test_an_error_is_forgotten_when_the_job_goes_on(campaign: World) -> None:
    refreshing(campaign, "job")
    heal = failing(campaign, lambda job: True)
    with pytest.raises(UnavailableError):
        campaign.jobs.step(20)
    heal()
    campaign.clock.ms += BACK_OFF_MS
    assert campaign.jobs.step(20) == 20
    assert (stored(campaign)["job"].attempts, stored(campaign)["job"].error) == (0, "")


def failing(world: World, which: Callable[[JobState], bool]) -> Callable[[], None]:
    """Makes slices of some jobs fail, until the result is called."""
    slices = world.jobs._slices
    work, knows = slices.work, slices.knows

    def fails(job: JobState, share: bytes, limit: int) -> tuple[int, bytes]:
        if which(job):
            raise UnavailableError("not now")
        return work(job, share, limit)

    slices.work, slices.knows = fails, lambda job: True  # type: ignore[method-assign]

    def heal() -> None:
        slices.work, slices.knows = work, knows  # type: ignore[method-assign]

    return heal


def test_a_job_of_earlier_flows_whose_target_is_gone_is_cancelled(campaign: World) -> None:
    for kind, target in (("fanout", "ad:group.boss"), ("refresh", "poster"), ("handle", "pace campaigns")):
        write(campaign, JobState(id=kind, kind=kind, lane=2, at=1, target=target, cursor=b"\1"))
    campaign.jobs.forget()
    campaign.settle()
    assert {job.state for job in stored(campaign).values()} == {"cancelled"}
    assert all("no longer" in job.error for job in stored(campaign).values())


def test_edits_come_before_refreshes_and_do_not_starve_them(campaign: World) -> None:
    for name, lane, started in (("low", 2, 1.0), ("high", 0, 2.0)):
        refreshing(campaign, name, lane, started)
    for _ in range(TURNS):
        campaign.jobs.step(1)
    assert (stored(campaign)["high"].done, stored(campaign)["low"].done) == (TURNS - 1, 1)


def test_the_newest_finished_jobs_are_kept(campaign: World) -> None:
    for at in range(FINISHED_KEPT + 20):
        write(
            campaign,
            JobState(id=f"old {at}", kind="refresh", lane=2, at=1, target="ad", state="done", finished_ms=at + 1.0),
        )
    write(campaign, JobState(id="fan-out", kind="fanout", lane=0, at=1, target="x", state="done", finished_ms=0.5))
    assert campaign.jobs.refresh("ad", 7) is False
    campaign.settle()
    kept = stored(campaign)
    assert len(kept) == FINISHED_KEPT + 1 and "fan-out" in kept
    assert "old 0" not in kept and f"old {FINISHED_KEPT + 19}" in kept
    assert campaign.jobs.refresh("ad", 7) is True


def test_a_refresh_builds_what_was_built_before_it_began(campaign: World) -> None:
    builder = campaign.parts.builders["ad"]
    built = builder.counts.built
    assert campaign.jobs.refresh("ad", 1) is False
    campaign.settle(slice_rows=64)
    assert builder.counts.built - built == MANY and builder.counts.unchanged >= MANY
    assert campaign.jobs.refresh("ad", 1) is True
    assert campaign.jobs.refresh_begun("ad", 1) and not campaign.jobs.refresh_begun("ad", 2)


def test_a_name_longer_than_a_key_is_shortened_and_stays_apart(make_world: MakeWorld) -> None:
    flows = ADS_FLOWS.replace('columns = { id = "int", name', 'columns = { id = "str", name').replace(
        'campaign_id = "int"', 'campaign_id = "str"'
    )
    world = make_world(flows)
    for end in "ab":
        name = "ж" * 120 + end
        world.commit(
            put("campaigns", id=name, name="C"),
            *(put("groups", id=ord(end) * 1000 + at, campaign_id=name) for at in range(MANY)),
        )
    world.deliver()
    assert len(world.jobs.running()) == 2


def test_a_handler_over_all_rows_runs_for_each_once(make_world: MakeWorld) -> None:
    called: list[int] = []

    @handler(observes=["campaigns.budget"], version=1)
    async def pace(ctx: HandlerContext, change: Change) -> None:
        called.append(change.row.key[0])

    world = make_world(
        ADS_FLOWS + '\n[tables.campaigns.derived]\npace = { type = "float", handler = "pace" }\n', [pace]
    )
    world.commit(*(put("campaigns", id=at) for at in range(25)))
    world.items(Lane.HIGH)
    assert world.jobs.handle("pace", "campaigns", 3) is False
    while world.jobs.step(10):
        pass
    assert called == list(range(25)) and world.jobs.handle("pace", "campaigns", 3) is True


def test_conflicts_that_go_on_do_not_move_the_cursor(campaign: World) -> None:
    campaign.jobs.refresh("ad", 1)
    before = stored(campaign)
    builder = campaign.parts.builders["ad"]
    builder.build = lambda causes: set(causes)  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match="conflicts go on"):
        campaign.jobs.step(20)
    assert stored(campaign).keys() == before.keys()
    assert all(job.shares == before[name].shares for name, job in stored(campaign).items())
    assert campaign.parts.builders["ad"].build({key_of(1): Cause(1, 0)})


def processes(world: World, *names: str) -> dict[str, Jobs]:
    """Jobs of several processes on one store, of which those that are left in the result are alive."""
    made: dict[str, Jobs] = {}
    for name in names:
        made[name] = Jobs(
            JobStates(world.repo), world.jobs._slices, world.log, world.clock, name, lambda other: other in made
        )
    return made


def test_processes_share_a_refresh_and_build_each_document_once(
    campaign: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SHARE_ROWS", 30)
    both, builder = processes(campaign, "a", "b"), campaign.parts.builders["ad"]
    built, already, took = builder.counts.built, builder.counts.already, {"a": 0, "b": 0}
    assert both["a"].refresh("ad", 1) is False
    assert both["b"].step(10) == 1, "it takes a share"
    while any(both[name].running() for name in both):
        for name in both:
            before = builder.counts.built
            both[name].step(10)
            took[name] += builder.counts.built - before
    assert builder.counts.built - built == MANY and builder.counts.already == already
    assert min(took.values()) >= MANY // 3
    assert both["b"].refresh("ad", 1) is True
    (job,) = stored(campaign).values()
    assert (job.state, job.done, job.shares) == ("done", MANY, {})


def test_what_a_process_that_died_had_taken_goes_to_another(campaign: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SHARE_ROWS", 100)
    alive, builder = processes(campaign, "a", "b"), campaign.parts.builders["ad"]
    built = builder.counts.built
    alive["a"].refresh("ad", 1)
    assert alive["b"].step(10) == 1 and alive["b"].step(10) == 10
    while alive["a"].step(100):
        pass
    assert len(alive["a"].running()) == 1, "b has still to do its share"
    assert alive["a"].due_ms() == campaign.clock.ms + ELSEWHERE_MS
    del alive["b"]
    campaign.clock.ms += ELSEWHERE_MS
    while alive["a"].step(100):
        pass
    assert alive["a"].running() == [] and builder.counts.built - built == MANY


def test_a_fan_out_belongs_to_one_process(campaign: World) -> None:
    campaign.commit(put("campaigns", id=1, name="new"))
    campaign.deliver()
    both = processes(campaign, "a", "")
    assert both["a"].step(20) == 0
    while both[""].step(20):
        pass
    assert renamed(campaign, "new") == MANY and both["a"].running() == []


def test_two_that_take_the_same_share_get_one_each(campaign: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SHARE_ROWS", 30)
    three = processes(campaign, "a", "b", "c")
    three["a"].refresh("ad", 1)
    campaign.repo.before_commit = lambda: elsewhere(lambda: three["b"].step(10))
    assert three["c"].step(10) == 0
    campaign.clock.ms += ELSEWHERE_MS
    assert three["c"].step(10) == 1
    (job,) = stored(campaign).values()
    assert set(job.shares) == {"a", "b", "c"} and len(set(job.shares.values())) == 3


def test_two_that_store_their_work_at_once_both_keep_it(campaign: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice that writes nothing else, as one that looks for old signals: the job's own row is its first write."""
    monkeypatch.setattr(slices, "SHARE_ROWS", 150)
    monkeypatch.setitem(campaign.jobs._slices._kinds, "refresh", lambda job, share, limit: slices.Part(7, b"", 1))
    both = processes(campaign, "a", "b")
    both["a"].refresh("ad", 1)
    both["b"].step(10)
    (before,) = stored(campaign).values()
    assert set(before.shares) == {"a", "b"}
    campaign.repo.before_commit = lambda: elsewhere(lambda: both["b"].step(10))
    assert both["a"].step(10) == 1
    (job,) = stored(campaign).values()
    assert (job.done - before.done, job.attempts, job.error) == (14, 0, "")
