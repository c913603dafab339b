"""Who tries to lead, by a real ZooKeeper."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from kazoo.client import KazooClient

from proto.errors import UnavailableError
from repo.oracle.leader import Leader
from repo.oracle.zookeeper import LeaderElection, ZookeeperLeaders
from tests.support.cluster import RunningCluster
from tests.support.hbase import new_table
from tests.support.oracles import until

SOON_S = 0.1
Enter = Callable[[], LeaderElection]


@pytest.fixture
def path() -> str:
    return f"/adsindex/{new_table('election')}"


@pytest.fixture
def enter(hbase: RunningCluster, path: str) -> Iterator[Enter]:
    """One more candidate."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            closing(LeaderElection(hbase.zookeeper, path, lost=lambda: None, address="127.0.0.1:1"))
        )


@contextmanager
def _people(hbase: RunningCluster) -> Iterator[KazooClient]:
    """Somebody who looks, and changes what he sees."""
    client = KazooClient(hbase.zookeeper)
    client.start()
    try:
        yield client
    finally:
        client.stop()
        client.close()


def test_one_at_a_time_tries(enter: Enter) -> None:
    first, second = enter(), enter()
    until(lambda: first.campaign(SOON_S))
    assert first.held
    assert not second.campaign(SOON_S) and not second.held
    first.release()
    assert not first.held
    until(lambda: second.campaign(SOON_S))


def test_the_lease_of_who_is_gone_is_free(enter: Enter) -> None:
    first, second = enter(), enter()
    until(lambda: first.campaign(SOON_S))
    first.close()
    until(lambda: second.campaign(SOON_S))


def test_who_has_lost_the_lease_does_not_take_it_from_the_next_one(
    enter: Enter, hbase: RunningCluster, path: str
) -> None:
    first, second, third = enter(), enter(), enter()
    until(lambda: first.campaign(SOON_S))
    with _people(hbase) as client:
        client.delete(f"{path}/lease")
    until(lambda: second.campaign(SOON_S))
    first.release()
    assert not third.campaign(SOON_S) and second.held


def test_clients_follow_and_epochs_never_go_back(enter: Enter, hbase: RunningCluster, path: str) -> None:
    first, second = enter(), enter()
    seen: list[Leader | None] = []
    with closing(ZookeeperLeaders(hbase.zookeeper, path)) as leaders:
        leaders.subscribe(lambda: seen.append(leaders.current()))
        assert leaders.current() is None
        first.publish(Leader("127.0.0.1:1", 5))
        until(lambda: leaders.current() == Leader("127.0.0.1:1", 5))
        second.publish(Leader("127.0.0.1:2", 9))
        until(lambda: leaders.current() == Leader("127.0.0.1:2", 9))
        with pytest.raises(UnavailableError, match="later epoch"):
            first.publish(Leader("127.0.0.1:1", 6))
        assert leaders.current() == seen[-1] == Leader("127.0.0.1:2", 9)
        assert len(seen) == 2


def test_without_zookeeper_it_says_so(path: str) -> None:
    with pytest.raises(UnavailableError, match=r"no ZooKeeper answers at 127\.0\.0\.1:1"):
        ZookeeperLeaders("127.0.0.1:1", path)
