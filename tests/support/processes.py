"""`adsindex` as real processes: commands that end, and daemons that a test kills."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0


class Ran(NamedTuple):
    """What a command did."""

    code: int
    output: str
    errors: str

    @property
    def jsonl(self) -> list[Any]:
        return [json.loads(line) for line in self.output.splitlines()]


def adsindex(*arguments: object) -> Ran:
    """One command, to its end."""
    done = subprocess.run(
        command(*arguments), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Daemon:
    """`adsindex run`, or another program of ours; its output goes to a file. prepare: run in the child before it."""

    def __init__(self, arguments: Sequence[object], output: Path, prepare: Callable[[], None] | None = None) -> None:
        self.output = output
        with output.open("ab") as out:
            self.process = subprocess.Popen(
                [str(part) for part in arguments], cwd=ROOT, env=environment(), stdout=out, stderr=out,
                preexec_fn=prepare,
            )  # fmt: skip

    @property
    def text(self) -> str:
        """Everything that it has said."""
        return self.output.read_text(errors="replace")

    def says(self, text: str) -> None:
        """Returns once it has said so."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.text:
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.text[-2000:]}"
            assert time.monotonic() < deadline, f"never said {text!r}: {self.text[-2000:]}"
            time.sleep(0.01)

    def kill(self) -> None:
        """As the kernel kills, when memory is short."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "ops", *(str(argument) for argument in arguments)]


def environment() -> dict[str, str]:
    """This process's, with this checkout in front, and plain output."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}
