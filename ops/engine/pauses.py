"""Lanes that somebody has paused: an empty file each in the data folder, so all processes see it, and it survives."""

from collections.abc import Iterable
from pathlib import Path

from ops.engine.lanes import Lanes
from proto.lane import Lane


class Pauses:
    """The paused lanes of a data folder. stage: whose lanes: "" for all stages, else one of them ("publisher")."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "paused"
        self._folder.mkdir(parents=True, exist_ok=True)

    def pause(self, lane: Lane, stage: str = "") -> None:
        """Safe to repeat."""
        (self._folder / _name(lane, stage)).touch()

    def resume(self, lane: Lane, stage: str = "") -> None:
        """Safe to repeat."""
        (self._folder / _name(lane, stage)).unlink(missing_ok=True)

    def of(self, stage: str) -> frozenset[Lane]:
        """Lanes in which this stage must not work."""
        names = {path.name for path in self._folder.iterdir()}
        return frozenset(lane for lane in Lane if _name(lane, "") in names or _name(lane, stage) in names)

    def apply(self, stages: Iterable[tuple[str, Lanes]]) -> None:
        """Brings running stages up to date; a few times a second is enough."""
        for name, lanes in stages:
            lanes.paused = self.of(name)


def _name(lane: Lane, stage: str) -> str:
    return f"{stage}.{lane.name.lower()}" if stage else lane.name.lower()
