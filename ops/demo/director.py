"""Leads the demo through its acts: bootstrap, edits by another process, the wait until all of them are served."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from ops.demo.editor import Edit
from ops.opened import DataFolder
from ops.waiting import Goal, missing, newest_stands
from ops.wiring.process import Process

DRAIN_S_MAX = 60.0


class Director:
    """A function for a FunctionStep: `step` is called in each turn of the loop, and ends it when the last act is over.

    tell: (act, done, of) for whoever shows progress. seconds 0: no edits.
    """

    def __init__(
        self, database: Path, sources: dict[str, str], rate: float, seconds: float, seed: int,
        tell: Callable[[str, float, float], None],
    ) -> None:  # fmt: skip
        self._database, self._sources, self._tell = database, sources, tell
        self._rate, self._seconds, self._seed = rate, seconds, seed
        self._editor: subprocess.Popen[bytes] | None = None
        self._goal: Goal | None = None
        self._told_ms = 0.0
        self._act = self._bootstrapping
        self.bootstrap_ms = 0.0
        self.unreached = ""

    def lead(self, process: Process) -> None:
        """The process whose loop calls `step`; to be told before the loop runs."""
        store = process.store
        self._process, self._clock = process, store.clock
        self._folder = DataFolder(
            store.folder, store.repo, store.log, store.dead_letters, store.schemas, process.application.flows,
            store.clock, store.environment,
        )  # fmt: skip
        self._edits_file = store.folder / "edits.jsonl"
        self._began_ms = self._act_ms = self._clock.monotonic_ms()

    def step(self) -> bool:
        """Never has work of its own."""
        self._act()
        return False

    def edits(self) -> list[Edit]:
        """Everything that the editor committed."""
        if not self._edits_file.exists():
            return []
        return [msgspec.json.decode(line, type=Edit) for line in self._edits_file.read_bytes().splitlines()]

    def close(self) -> None:
        """Ends the editor, if it still runs."""
        if self._editor is not None and self._editor.poll() is None:
            self._editor.terminate()
            self._editor.wait()

    def _bootstrapping(self) -> None:
        parts = self._process.built.parts if self._process.built else None
        assert parts is not None
        self._show("bootstrap", sum(builder.counts.built for builder in parts.builders.values()), 0.0)
        if parts.lifecycle.settled and parts.pulls.is_quiet():
            self.bootstrap_ms = self._clock.monotonic_ms() - self._began_ms
            self._begin(self._editing)
            if self._seconds:
                with self._edits_file.open("wb") as out:
                    self._editor = subprocess.Popen(self._command(), stdout=out)

    def _command(self) -> list[str]:
        options = {"--source": self._database, "--rate": self._rate, "--seconds": self._seconds, "--seed": self._seed}
        return [sys.executable, "-m", "ops.demo.editor", *(str(part) for pair in options.items() for part in pair)]

    def _editing(self) -> None:
        elapsed_s = (self._clock.monotonic_ms() - self._act_ms) / 1000
        self._show("edits", elapsed_s, self._seconds)
        if self._editor is None or self._editor.poll() is not None:
            self._goal = Goal(newest_stands(self._sources))
            self._begin(self._draining)

    def _draining(self) -> None:
        assert self._goal is not None
        self.unreached = missing(self._folder, self._goal) or self._unanswered()
        late = self._clock.monotonic_ms() - self._act_ms > DRAIN_S_MAX * 1000
        if not self.unreached or late:
            self._process.loop.stop()

    def _unanswered(self) -> str:
        """Documents that wait for a signal."""
        pulls = self._process.built.parts.pulls.by_name if self._process.built else {}
        return ", ".join(f"signal {name} is being asked" for name, pull in pulls.items() if not pull.is_quiet())

    def _begin(self, act: Callable[[], None]) -> None:
        self._act, self._act_ms = act, self._clock.monotonic_ms()

    def _show(self, act: str, done: float, of: float) -> None:
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._told_ms > 100.0:
            self._told_ms = now_ms
            self._tell(act, done, of)
