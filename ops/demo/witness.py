"""What was published while the demo edited, and when it was servable; matched with the edits afterwards."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeVar

from ops.demo.editor import Edit
from proto.codec import decode_key
from proto.events import DeltaDocument

TRIGGER_MS = 3.0
"""SQLite tells triggers the time in milliseconds, up to two of them late."""

UNIT_MS_MAX = 1_000.0
"""Edits that are further apart don't come in one unit."""

STAGES = ("capture", "apply", "build", "publish", "serve")


class Servable(Protocol):
    """A version of a document. commit_ms: of the newest of its changes, as the trigger saw it."""

    @property
    def id(self) -> int: ...

    @property
    def commit_ms(self) -> float: ...

    @property
    def servable_ms(self) -> float: ...


AServable = TypeVar("AServable", bound=Servable)


class Published(NamedTuple):
    """One version of one document. stages_ms: how long each of STAGES took, the first from the trigger's time."""

    id: int
    sequence: int
    lane: int
    commit_ms: float
    capture_ms: float
    servable_ms: float
    stages_ms: tuple[float, ...]
    content: bytes


class Witness:
    """The reader's hook."""

    def __init__(self) -> None:
        self.published: list[Published] = []

    def __call__(self, delta: DeltaDocument, servable_ms: float) -> None:
        at = (delta.commit_ms, delta.capture_ms, delta.apply_ms, delta.build_ms, delta.publish_ms, servable_ms)
        stages = tuple(max(0.0, after - before) for before, after in pairwise(at))
        seen = Published(
            decode_key(delta.key)[1],
            delta.sequence,
            delta.lane,
            delta.commit_ms,
            delta.capture_ms,
            servable_ms,
            stages,
            delta.content,
        )
        self.published.append(seen)

    def latencies_ms(self, edits: Iterable[Edit]) -> list[tuple[Edit, float]]:
        """See the function."""
        return latencies_ms(self.published, edits)


def latencies_ms(published: Iterable[Servable], edits: Iterable[Edit]) -> list[tuple[Edit, float]]:
    """For each edit that changed documents: from the return of its COMMIT until the last of them was servable."""
    by_id: dict[int, list[Servable]] = {}
    for seen in published:
        by_id.setdefault(seen.id, []).append(seen)
    found = []
    for edit in edits:
        served = [first for ad in edit.ads if (first := first_with(by_id.get(ad, ()), edit))]
        if served:
            found.append((edit, max(max(one.servable_ms for one in served) - edit.committed_ms, 0.0)))
    return found


def first_with(versions: Sequence[AServable], edit: Edit) -> AServable | None:
    """The first version of a document that has the edit in it: its newest trigger ran after the edit began.

    A build for the change before may find the edit in the database already. Then there is no version of its own, since
    nothing is left to change; the next one is of another edit, much later, and the one before that shows both. (Edits
    change all documents that they name.) A version without a commit is of a rebuild.
    """
    since_ms, own_ms_max = edit.began_ms - TRIGGER_MS, edit.committed_ms + UNIT_MS_MAX
    before: AServable | None = None
    for version in versions:
        if version.commit_ms >= since_ms:
            absorbed = version.commit_ms > own_ms_max and before is not None
            return before if absorbed else version
        if version.servable_ms > edit.committed_ms:
            before = version
    return before


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie; 0.0 for none."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else 0.0
