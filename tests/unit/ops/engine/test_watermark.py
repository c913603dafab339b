"""The watermark never covers a change that is still under way."""

from typing import TYPE_CHECKING

from ops.engine.watermark import Watermark, lowest_unprocessed
from proto.lane import Lane
from proto.ports.processor import Retry

if TYPE_CHECKING:
    from tests.unit.ops.engine.conftest import Bench


def change(timestamp: int) -> bytes:
    return timestamp.to_bytes(8, "big") + b"payload"


def test_the_lowest_of_messages_and_holds() -> None:
    assert lowest_unprocessed([], []) is None
    assert lowest_unprocessed([change(7), change(5)], [6]) == 5
    assert lowest_unprocessed([change(7)], [4, 9]) == 4


def test_it_follows_the_oldest_unfinished_change_in_any_lane(bench: "Bench") -> None:
    stage = bench.stage()
    loop = bench.loop(bench.make_pass(stage))
    last = 20
    holds: list[int] = []
    watermark = Watermark([stage.consumer], [], lambda: last, lambda: holds)
    assert watermark.advance() == 20
    last = 50
    bench.send(change(30), change(31), lane=Lane.LOW)
    bench.send(change(40))
    assert (watermark.advance(), watermark.pending) == (29, 30)
    bench.script.rules[change(31)] = Retry(10)
    bench.run_for(loop, 55)
    assert (watermark.advance(), watermark.pending) == (30, 31)
    holds.append(25)
    assert watermark.advance() == 30  # never back
    del bench.script.rules[change(31)]
    bench.run_for(loop, 120)
    assert watermark.advance() == 30
    assert watermark.pending == 25
    holds.clear()
    assert (watermark.advance(), watermark.pending) == (50, 0)


def test_it_stays_while_a_publication_waits(bench: "Bench") -> None:
    build, publish = bench.stage(), bench.stage(name="publish", topics={Lane.HIGH: "out"})
    last = 30
    watermark = Watermark([build.consumer], [publish.consumer], lambda: last)
    bench.send(change(30))
    assert watermark.advance() == 29
    bench.loop(bench.make_pass(build)).drain()
    last = 31
    assert watermark.advance() == 29
    bench.script.rules[change(30)] = Retry(10)
    bench.loop(bench.make_pass(publish)).drain()
    assert watermark.advance() == 29


def test_it_sees_partitions_that_another_process_consumes(bench: "Bench") -> None:
    watermark = Watermark([bench.stage().consumer], [], lambda: 50)  # has claimed nothing
    bench.send(change(40))
    assert watermark.advance() == 39
    bench.loop(bench.make_pass(bench.stage())).drain()
    assert watermark.advance() == 50
