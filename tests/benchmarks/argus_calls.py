"""How many calls of functions the build of an edited ad takes: `python -m tests.benchmarks.argus_calls`.

On a machine whose memory is cold between two edits an edit takes as long as what it touches, so calls are counted,
which other work does not change: of Python functions, and of C functions by these; medians. The ads application; what
else has changed since the ad was built before decides how much is read again.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from ops.demo.schema import connect
from proto.lane import Lane
from tests.benchmarks.argus_build import filled_world
from tests.support.argus_world import World, put

EDITS = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world, ads = filled_world(Path(folder), 2000)
        tables = {name: table.key[0] for name, table in world.application.flows.tables.items() if name != "ads"}
        rows = {name: first_row(Path(folder), world, name) for name in tables}
        edits = Edits(world, ads, rows, tables)
        edits.count([])
        for what, changed in (
            ("nothing else has changed", []),
            ("another campaign", ["campaigns"]),
            ("another row of every table", list(tables)),
        ):
            print(f"{what}: {edits.count(changed):,.0f} calls")
        print(f"a burst of {len(ads)}: {edits.burst():,.1f} calls a document")
        world.close()


class Edits:
    """Edits one ad after another, and counts what building them takes."""

    def __init__(
        self, world: World, ads: Sequence[dict[str, Any]], rows: Mapping[str, dict[str, Any]], keys: Mapping[str, str]
    ) -> None:
        """rows: table -> one of its rows; keys: table -> its key."""
        self._world, self._ads, self._rows, self._keys = world, ads, rows, keys
        self._random = Random(3)
        self._number = 0

    def count(self, changed: Sequence[str]) -> float:
        """changed: tables in which a row that no document reads changes before each edit."""
        return median(self._one(changed) for _ in range(EDITS))

    def burst(self) -> float:
        """Calls a document when all ads are edited in one transaction."""
        self._world.commit(*(put("ads", **{**ad, "title": "in a burst"}) for ad in self._ads))
        return self._process(Lane.HIGH) / len(self._ads)

    def _one(self, changed: Sequence[str]) -> int:
        self._number += 1
        for table in changed:
            key = self._keys[table]
            new = f"new {self._number}" if isinstance(self._rows[table][key], str) else 10**9 + self._number
            self._world.commit(put(table, **{**self._rows[table], key: new}))
        for lane in Lane:
            self._process(lane)
        self._world.commit(put("ads", **{**self._random.choice(self._ads), "title": f"edit {self._number}"}))
        return self._process(Lane.HIGH)

    def _process(self, lane: Lane) -> int:
        calls = 0
        items = self._world.items(lane)
        for start in range(0, len(items), 2):  # a notification names up to 256 rows
            part = items[start : start + 2]
            with self._world.log.group():
                calls += calls_of(lambda part=part: self._world.argus.process(part))  # type: ignore[misc]
        return calls


def calls_of(function: Callable[[], Any]) -> int:
    """How many calls it makes."""
    events: list[str] = []
    sys.setprofile(lambda frame, event, argument: events.append(event))
    try:
        function()
    finally:
        sys.setprofile(None)
    return events.count("call") + events.count("c_call")


def first_row(folder: Path, world: World, table: str) -> dict[str, Any]:
    """Of a table of the source."""
    flows = world.application.flows.tables[table]
    columns = [column.name for column in flows.columns.values() if not column.writer]
    row = connect(folder / "ads.db").execute(f"SELECT {', '.join(columns)} FROM {flows.source_table}").fetchone()
    return dict(zip(columns, row, strict=True))


if __name__ == "__main__":
    main()
