"""ZooKeeper, by kazoo: which oracle tries to lead, and where the one is that does.

None of it is needed to be right: two leaders at once can't hurt, because only the owner of the state chain commits.
`PATH/lease` is ephemeral and says who tries; `PATH/leader` stays, and names the last one that has taken over. A
suspended connection counts as lost.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, KazooException, NodeExistsError, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import KazooState

from proto.errors import UnavailableError
from repo.oracle.leader import Leader

SESSION_S = 3.0
"""A leader that is silent for so long is replaced. (ZooKeeper makes it at least two of its ticks.)"""

_DEADLINE_S = 5.0


class LeaderElection:
    """The side of an oracle. For one thread, but `held`, which any may ask."""

    def __init__(
        self, hosts: str, path: str, lost: Callable[[], None], address: str = "", session_s: float = SESSION_S
    ) -> None:
        """lost: called from another thread, whenever what was held is not any more. address: for people who look at
        the lease. Raises UnavailableError when no ZooKeeper answers."""
        self._lease, self._leader = f"{path}/lease", f"{path}/leader"
        self._lost, self._address = lost, address
        self._held = False
        self._losses = 0
        self._freed = threading.Event()
        self._client = _connected(hosts, session_s)
        self._client.add_listener(self._listen)
        _within(self._client.ensure_path_async(path))

    @property
    def held(self) -> bool:
        return self._held

    def campaign(self, seconds: float) -> bool:
        """Waits so long for the lease; True once it is held. Raises UnavailableError when ZooKeeper does not answer."""
        losses = self._losses
        self._freed.clear()
        if self._free() or (self._freed.wait(seconds) and self._free()):
            try:
                _within(self._client.create_async(self._lease, self._address.encode(), ephemeral=True))
            except NodeExistsError:
                return False  # somebody was faster
            self._held = losses == self._losses
        return self._held

    def publish(self, leader: Leader) -> None:
        """After the take-over: clients follow. Never replaces a later epoch. Raises UnavailableError."""
        try:
            data, stat = _within(self._client.get_async(self._leader))
        except NoNodeError:
            _within(self._client.create_async(self._leader, leader.encode()))
            return
        known = Leader.decode(data)
        if known is not None and known.epoch > leader.epoch:
            raise UnavailableError(
                f"ZooKeeper's {self._leader} names an oracle of a later epoch, {known.address}: either that one leads"
                " now, or this ZooKeeper belongs to another HBase; then remove that node"
            )
        try:
            _within(self._client.set_async(self._leader, leader.encode(), version=stat.version))
        except BadVersionError:
            raise UnavailableError("another oracle has published itself in between") from None

    def release(self) -> None:
        """Lets the next one try at once."""
        self._held = False
        try:
            if self._owner() == self._client.client_id[0]:  # by now it may be the next one's
                _within(self._client.delete_async(self._lease))
        except (UnavailableError, NoNodeError):
            pass  # it ends with the session

    def close(self) -> None:
        self._held = False
        _close(self._client)

    def _free(self) -> bool:
        """Whether nobody has the lease; `_freed` is set when that may have changed."""
        owner = self._owner()
        if owner == self._client.client_id[0]:  # from before a suspension
            self.release()
            return True
        return owner is None

    def _owner(self) -> int | None:
        """The session that has the lease."""
        stat = _within(self._client.exists_async(self._lease, watch=self._notice))
        return None if stat is None else int(stat.owner_session_id)

    def _notice(self, event: Any) -> None:
        """One method, however often it watches: ZooKeeper's client keeps each other one until the lease changes."""
        self._freed.set()

    def _listen(self, state: str) -> None:
        if state != KazooState.CONNECTED:
            self._losses += 1
            if self._held:
                self._held = False
                self._lost()


class ZookeeperLeaders:
    """repo.oracle.leader.Leaders: the side of a client. What was published last stays known while ZooKeeper is away."""

    def __init__(self, hosts: str, path: str, session_s: float = SESSION_S) -> None:
        """Raises UnavailableError when no ZooKeeper answers."""
        self._current: Leader | None = None
        self._changed: list[Callable[[], None]] = []
        self._client = _connected(hosts, session_s)
        self._client.DataWatch(f"{path}/leader", self._watch)

    def current(self) -> Leader | None:
        return self._current

    def subscribe(self, changed: Callable[[], None]) -> None:
        self._changed.append(changed)

    def close(self) -> None:
        _close(self._client)

    def _watch(self, data: bytes | None, stat: Any) -> None:
        leader = Leader.decode(data or b"")
        if leader is not None and leader != self._current:
            self._current = leader
            for changed in self._changed:
                changed()


def _connected(hosts: str, session_s: float) -> Any:
    quiet = logging.Logger("zookeeper", logging.CRITICAL)  # who has lost the connection says so itself
    retry = {"max_tries": -1, "delay": 0.05, "max_delay": 0.5}
    client = KazooClient(hosts, timeout=session_s, connection_retry=retry, logger=quiet)
    try:
        client.start(_DEADLINE_S)
    except KazooTimeoutError:
        _close(client)
        raise UnavailableError(
            f"no ZooKeeper answers at {hosts}; is it running (adsindex cluster status), and is that its address"
            " (setting hbase.zookeeper)?"
        ) from None
    return client


def _close(client: Any) -> None:
    client.stop()
    client.close()


def _within(call: Any) -> Any:
    """The result of an asynchronous call. NoNodeError, NodeExistsError, BadVersionError go through; all else is
    UnavailableError."""
    try:
        return call.get(timeout=_DEADLINE_S)
    except (NoNodeError, NodeExistsError, BadVersionError):
        raise
    except (KazooTimeoutError, KazooException) as error:
        raise UnavailableError(f"ZooKeeper: {type(error).__name__} {error}") from None
