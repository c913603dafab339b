"""Lanes, and publishing, that somebody has paused: a file each in the data folder, so all processes see it, and it
survives. The file says since when, by whom and why."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ops.engine.lanes import Lanes
from ops.replaced import replace_file
from proto.lane import Lane

PUBLISHING = "publisher"
"""The stage that is paused as a whole: its one topic carries all lanes."""

FOLDER = "paused"

_ALL = frozenset(Lane)


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """What is paused. lane "": all (publishing); stage "": all that have lanes. since_ms: wall clock, 0.0: unknown."""

    lane: str = ""
    stage: str = ""
    since_ms: float = 0.0
    who: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """For people: "lane low", "lane low of argus", "publishing"."""
        if self.stage == PUBLISHING:
            return "publishing"
        return f"lane {self.lane}" + (f" of {self.stage}" if self.stage else "")


class Pauses:
    """What is paused in a data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)

    def pause(self, wanted: Pause) -> Pause:
        """Returns the pause that now holds: an older one of the same is kept, with its reason. Safe to repeat."""
        held = self.held(wanted)
        if held is not None:
            return held
        replace_file(self._path(wanted), msgspec.json.encode(wanted))
        return wanted

    def resume(self, wanted: Pause) -> Pause | None:
        """Returns the pause that was ended; None: there was none. Safe to repeat."""
        held = self.held(wanted)
        self._path(wanted).unlink(missing_ok=True)
        return held

    def held(self, wanted: Pause) -> Pause | None:
        """The pause of the same lane and stage, if there is one."""
        name = self._path(wanted).name
        return next((pause for path, pause in self._read() if path.name == name), None)

    def all(self) -> list[Pause]:
        """Everything that is paused, publishing last."""
        return [pause for _, pause in sorted(self._read(), key=lambda one: (one[1].stage == PUBLISHING, one[0].name))]

    def of(self, stage: str) -> frozenset[Lane]:
        """Lanes in which this stage must not work."""
        names = {path.name for path in self._folder.iterdir()}
        if stage == PUBLISHING:
            return _ALL if stage in names else frozenset()
        return frozenset(lane for lane in Lane if not names.isdisjoint({_name(lane, ""), _name(lane, stage)}))

    def apply(self, stages: Iterable[tuple[str, Lanes]]) -> None:
        """Brings running stages up to date; a few times a second is enough."""
        for name, lanes in stages:
            lanes.paused = self.of(name)

    def _path(self, pause: Pause) -> Path:
        return self._folder / (_name(Lane.parse(pause.lane), pause.stage) if pause.lane else pause.stage)

    def _read(self) -> list[tuple[Path, Pause]]:
        found = []
        for path in self._folder.iterdir():
            if path.suffix == ".new":
                continue
            try:
                found.append((path, msgspec.json.decode(path.read_bytes(), type=Pause)))
            except FileNotFoundError:  # resumed meanwhile
                continue
            except msgspec.DecodeError:  # somebody made the file by hand: it pauses all the same
                stage, _, lane = path.name.rpartition(".")
                found.append((path, Pause(stage=lane) if lane == PUBLISHING else Pause(lane=lane, stage=stage)))
        return found


def _name(lane: Lane, stage: str) -> str:
    return f"{stage}.{lane.name.lower()}" if stage else lane.name.lower()
