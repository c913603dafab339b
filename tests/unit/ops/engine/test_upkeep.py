"""Retention, back-pressure, replay."""

from typing import TYPE_CHECKING

import pytest

from ops.engine.back_pressure import Gate
from ops.engine.replay import discard, replay
from ops.engine.retention import SLICE, KeepRule, Retention
from proto.errors import InvalidMessageError
from proto.lane import Lane
from proto.ports.dead_letters import DeadLetterEntry
from proto.ports.processor import DeadLetter

if TYPE_CHECKING:
    from tests.unit.ops.engine.conftest import Bench


def test_only_what_every_consumer_has_done_goes_and_the_newest_stay(bench: "Bench") -> None:
    bench.log.append("t", 0, [b"x"] * (3 * SLICE + 10))
    retention = Retention(bench.log, [KeepRule("t", ["a", "b"], 10)])
    bench.log.save_positions({("a", "t", 0): 3 * SLICE})
    assert not retention.step()
    bench.log.save_positions({("b", "t", 0): SLICE + 5})
    assert retention.step()
    assert bench.log.bounds("t", 0) == (SLICE, 3 * SLICE + 10)
    assert not retention.step()
    bench.log.save_positions({("b", "t", 0): 3 * SLICE + 10})
    assert retention.step()
    assert retention.step()
    assert not retention.step()
    assert bench.log.bounds("t", 0) == (3 * SLICE, 3 * SLICE + 10)


def test_at_least_the_last_message_stays(bench: "Bench") -> None:
    bench.log.append("t", 0, [b"x"] * (SLICE + 1))
    retention = Retention(bench.log, [KeepRule("t", [], 0)])
    assert retention.step()
    bench.log.append("t", 0, [b"x"] * SLICE)
    assert retention.step()
    assert bench.log.bounds("t", 0) == (2 * SLICE, 2 * SLICE + 1)


def test_the_gate_shuts_above_the_bound_and_opens_at_half_of_it(bench: "Bench") -> None:
    stage = bench.stage()
    one = bench.make_pass(stage)
    gate = Gate([stage], Lane.HIGH, 10)
    assert gate()
    stage.lanes.paused = frozenset({Lane.HIGH})
    bench.send(*[b"x"] * 11)
    one.run()
    assert not gate()
    assert stage.backlog()[Lane.HIGH] == 11
    stage.lanes.paused = frozenset()
    bench.script.rules[b"x"] = DeadLetter("bad")
    bench.loop(one).drain()
    assert gate()


def test_replay_offers_the_message_again_and_clears_the_entry(bench: "Bench") -> None:
    loop = bench.loop(bench.make_pass(bench.stage()))
    bench.script.rules[b"bad"] = DeadLetter("bad")
    bench.send(b"bad", b"worse")
    loop.drain()
    del bench.script.rules[b"bad"]
    before = bench.environment.commits
    assert replay(bench.log, bench.letters, "apply", "in.high/0@0")
    assert bench.environment.commits == before + 1
    assert bench.letters.count() == 0
    loop.drain()
    assert bench.out() == [b"worse", b"bad"]
    assert not replay(bench.log, bench.letters, "apply", "in.high/0@0")
    assert not discard(bench.letters, "apply", "in.high/0@0")


def test_an_entry_without_a_message_says_what_to_do(bench: "Bench") -> None:
    bench.letters.put(DeadLetterEntry(stage="apply", subject="ads/1", reason="not an int"))
    with pytest.raises(InvalidMessageError, match="mend the row"):
        replay(bench.log, bench.letters, "apply", "ads/1")
    assert discard(bench.letters, "apply", "ads/1")
    assert bench.letters.count() == 0
