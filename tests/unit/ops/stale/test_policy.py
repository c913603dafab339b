"""The policy drops by age, within bounds; it never empties a lane, nor touches one that a person has paused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.audit import Audit
from ops.brokers.lmdb import LmdbLog
from ops.settings import StaleSettings
from ops.stale.orders import Orders
from ops.stale.policy import Policy
from ops.topics import ARGUS, UPDATER
from proto.events import NOTIFICATIONS, Notification, encode, lane_topic
from proto.lane import Lane
from repo.drops import DropOrder, drop_orders
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from repo.system import system_specs

LOW = lane_topic(NOTIFICATIONS, Lane.LOW)
START_MS = 1_790_000_000_000.0


class Bench:
    """A lane with a backlog, and a policy of ten minutes for it."""

    def __init__(self, folder: Path, **settings: float) -> None:
        self.ms = START_MS
        self.environment = LmdbEnvironment(folder, self, b"policy")
        self.log = LmdbLog(self.environment)
        self.repo = LmdbRepo(self.environment, self, self.log.append_in)
        self.repo.declare(system_specs())
        self.orders = Orders(self.repo)
        self.paused: list[Lane] = []
        self.audit = Audit(folder)
        self.settings = StaleSettings(low_after_s=600, **settings)
        self.policy = self.make()

    def now_ms(self) -> float:
        return self.ms

    monotonic_ms = now_ms

    def make(self) -> Policy:
        """As in a new process."""
        return Policy(
            self.repo, self.log, self.orders.of, lambda stage: self.paused, self.audit, self, self.settings,
            (UPDATER, ARGUS),
        )  # fmt: skip

    def send(self, *ages_s: float) -> None:
        for age_s in ages_s:
            timestamp = int((self.ms - age_s * 1000.0) * 1e6)
            self.log.append(LOW, 0, [timestamp.to_bytes(8, "big") + encode(Notification(Lane.LOW, []))])

    def look(self) -> DropOrder | None:
        self.orders.apply([])
        self.policy.look()
        with self.repo.snapshot() as snapshot:
            return next(iter(drop_orders(snapshot)), None)

    def carried_out(self, offset: int) -> None:
        self.log.save_positions({(ARGUS, LOW, 0): offset})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: float) -> Bench:
        made.append(Bench(tmp_path / str(len(made)), **settings))
        return made[-1]

    yield make
    for one in made:
        one.environment.close()


def test_off_by_default() -> None:
    settings = StaleSettings()
    assert (settings.high_after_s, settings.medium_after_s, settings.low_after_s) == (None, None, None)


def test_what_is_older_is_dropped_and_told(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.send(900, 700, 500, 400, 1)
    ordered = one.look()
    assert ordered is not None
    assert (ordered.stage, ordered.lane, ordered.below, ordered.who) == (ARGUS, Lane.LOW, {0: 2}, "policy")
    assert ordered.before_ms == START_MS - 600_000
    assert ordered.reason == "older than 10 min, by policy"
    assert [action.who for action in one.audit.actions()] == ["policy"]
    one.look()
    assert len(one.audit.actions()) == 1, "ordered again while it is under way"


def test_a_policy_that_would_drop_everything_is_refused_and_says_what_to_do(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.send(900, 800, 700)
    assert one.look() is None
    assert one.audit.actions() == []
    (refusal,) = one.policy.refusals.values()
    assert "would drop 3 of 3 messages of lane low of argus" in refusal
    assert "adsindex lanes drop-stale low --stage argus --older-than 600s --yes" in refusal
    one.carried_out(3)
    one.look()
    assert one.policy.refusals == {}


def test_the_share_counts_what_was_dropped_lately_over_restarts(bench: Callable[..., Bench]) -> None:
    one = bench(window_s=60.0)
    one.send(900, 700, 500, 400)
    assert one.look() is not None
    one.carried_out(2)
    one.ms += 150_000  # 650 and 550 s old now
    one.send(1)
    one.policy = one.make()
    ordered = one.look()
    assert ordered is not None and ordered.below == {0: 3}, "the window has passed"
    one.carried_out(3)
    one.ms += 51_000
    one.policy = one.make()
    ordered = one.look()
    assert ordered is not None and ordered.below == {0: 3}
    assert "and 1 that it has dropped in the last 1 min: 67%" in next(iter(one.policy.refusals.values())), (
        one.policy.refusals
    )


def test_a_lane_that_somebody_has_paused_is_left_alone(bench: Callable[..., Bench]) -> None:
    one = bench()
    one.send(900, 700, 500, 400, 1)
    one.paused.append(Lane.LOW)
    assert one.look() is None and one.policy.refusals == {}
    one.paused.clear()
    assert one.look() is not None


def test_rows_are_left_alone_unless_the_settings_name_their_stage(tmp_path: Path) -> None:
    assert StaleSettings().stages == ("argus",)
    one = Bench(tmp_path)
    one.settings = StaleSettings(low_after_s=600, stages=())
    assert not one.make().on
    one.environment.close()
