"""From threads into the loop: durable with the pass or not at all, in order, bounded, and never lost without a word."""

import threading
from collections.abc import Callable

import pytest

from ops.brokers.memory import MemoryLog
from ops.engine.settings import EngineSettings
from ops.rpc import inlet as module
from ops.rpc.inlet import Delivery, Inlet
from proto.lane import Lane
from tests.support.source import StillClock


class World:
    """An inlet with its log; room and wakes are the test's."""

    def __init__(self) -> None:
        self.log, self.room, self.woken = MemoryLog(), True, 0
        self.inlet = Inlet(self.log, lambda: self.room, self.wake, StillClock(), EngineSettings())

    def wake(self) -> None:
        self.woken += 1

    def offered(self, *messages: bytes) -> Delivery:
        delivery = Delivery(Lane.HIGH, "main", "feeds", messages)
        assert self.inlet.offer(delivery, 0.0)
        return delivery

    def logged(self) -> list[bytes]:
        partition = self.log.partition_of("updates.high", "feed:main:feeds")
        return [message.value for message in self.log.read("updates.high", partition, 0, 1000)]


@pytest.fixture
def world() -> World:
    return World()


def test_what_is_offered_goes_with_the_next_group_and_is_answered_after_it(world: World) -> None:
    assert not world.inlet.step() and world.inlet.wake_ms() == float("inf")
    first, second = world.offered(b"a", b"b"), world.offered(b"c")
    assert world.woken == 2 and world.inlet.wake_ms() < float("inf")
    with world.log.group():
        assert world.inlet.step()
        assert not first.wait(0.0)
    world.inlet.committed()
    assert first.wait(0.0) and second.wait(0.0) and first.failure == ""
    assert world.logged() == [b"a", b"b", b"c"]


def test_a_group_that_is_undone_is_tried_again_in_order(world: World) -> None:
    deliveries = [world.offered(name) for name in (b"a", b"b")]
    with pytest.raises(ZeroDivisionError), world.log.group():
        world.inlet.step()
        raise ZeroDivisionError
    world.inlet.undone()
    assert world.inlet.failed(ZeroDivisionError()) > 0
    assert not any(one.wait(0.0) for one in deliveries) and world.logged() == []
    deliveries.append(world.offered(b"c"))
    world.inlet.step()
    world.inlet.committed()
    assert all(one.wait(0.0) for one in deliveries) and world.logged() == [b"a", b"b", b"c"]


def test_without_room_behind_it_takes_nothing_and_who_sends_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.room = False
    for _ in range(module.WAITING_MAX):
        world.offered(b"x")
    assert not world.inlet.step()
    late = Delivery(Lane.HIGH, "main", "feeds", [b"late"])
    assert not world.inlet.offer(late, 0.01)
    world.room = True
    world.inlet.step()
    world.inlet.committed()
    assert world.inlet.offer(late, 0.0)


def test_at_the_end_nobody_is_left_waiting(world: World) -> None:
    waiting = world.offered(b"x")
    world.inlet.close()
    assert waiting.wait(0.0) and "send it again" in waiting.failure
    late = world.offered(b"y")
    assert late.wait(0.0) and late.failure and world.logged() == []


def test_threads_lose_nothing(world: World) -> None:
    def send(name: int) -> None:
        for number in range(200):
            delivery = Delivery(Lane.HIGH, "main", "feeds", [b"%d %d" % (name, number)])
            while not world.inlet.offer(delivery, 0.1):
                pass

    threads: list[threading.Thread] = [threading.Thread(target=send, args=(name,)) for name in range(4)]
    work: Callable[[], bool] = lambda: world.inlet.step()  # noqa: E731
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or work():
        work()
        world.inlet.committed()
    found = [tuple(map(int, message.split())) for message in world.logged()]
    assert len(found) == 800
    for name in range(4):
        assert [number for sender, number in found if sender == name] == list(range(200))
