"""What is ordered to be dropped, as the stages of this process know it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ops.engine.consumer import Consumer
from ops.stale.backlog import StalePart
from ops.topics import CONSUMED
from proto.errors import ConflictError
from proto.lane import Lane
from proto.ports.log import Log
from repo.api import Repo
from repo.drops import DropOrder, drop_orders, order_drop
from repo.system import DROP_ORDERS


class Why(NamedTuple):
    """before_ms: only what is older (wall clock); at_ms: when it was ordered."""

    before_ms: float
    reason: str
    who: str
    at_ms: float


def order(repo: Repo, parts: Sequence[StalePart], why: Why, by_policy: Sequence[tuple[float, int]] = ()) -> None:
    """Durable; carried out by the processes that consume these lanes, ahead of everything else. Safe to repeat."""
    for stage, lane in sorted({(part.stage, part.lane) for part in parts}):
        below = {part.partition: part.below for part in parts if (part.stage, part.lane) == (stage, lane)}
        ordered = DropOrder(
            stage=stage, lane=lane, below=below, before_ms=why.before_ms, reason=why.reason, who=why.who,
            ordered_ms=why.at_ms, by_policy=list(by_policy),
        )  # fmt: skip
        if not order_drop(repo, ordered):
            raise ConflictError(f"somebody else orders drops of lane {lane.name.lower()} all the time; try again")


def outstanding(repo: Repo, log: Log) -> int:
    """Messages that are ordered to be dropped and still stand there: an order holds over restarts."""
    with repo.snapshot() as snapshot:
        orders = drop_orders(snapshot)
    return sum(
        max(0, below - log.position(one.stage, consumed.topic, partition))
        for one in orders
        for consumed in CONSUMED
        if (consumed.consumer, consumed.lane) == (one.stage, one.lane)
        for partition, below in one.below.items()
    )


class Orders:
    """Looks at the stored orders, when they have changed, and tells the consumers."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._mark: bytes | None = None
        self._orders: dict[tuple[str, int], DropOrder] = {}

    def of(self, stage: str) -> Callable[[Lane], DropOrder | None]:
        """For a stage's dropper."""
        return lambda lane: self._orders.get((stage, lane))

    def apply(self, consumers: Iterable[Consumer]) -> None:
        """A few times a second is enough; once before anything is consumed."""
        with self._repo.snapshot() as snapshot:
            (mark,) = snapshot.change_marks([DROP_ORDERS])
            if mark != self._mark:
                self._mark = mark
                self._orders = {(order.stage, order.lane): order for order in drop_orders(snapshot)}
        for consumer in consumers:
            for (stage, lane), order in self._orders.items():
                if stage == consumer.name:
                    consumer.drop_below(Lane(lane), order.below)
