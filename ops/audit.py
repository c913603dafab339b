"""The audit record of a data folder: who did what, when and why. One line of JSON an action; lines are only added.

A program that was started with sudo acts for the user who typed it. Garbage: none; an action is a line, and people act
seldom.
"""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

import msgspec

FILE = "audit.jsonl"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. at_ms: wall clock; who: an OS user, or "policy"; command: "lanes pause"; what: one sentence."""

    at_ms: float
    who: str
    command: str
    what: str
    reason: str = ""


class Audit:
    """Reads and extends the record."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def record(self, action: Action) -> None:
        """Durable when it returns. One write of one line, so that lines of several processes don't mix.

        Raises OSError when the disk is full; a line that was cut short is ended before the next one.
        """
        line = msgspec.json.encode(action) + b"\n"
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            cut = size and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" + line if cut else line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def actions(self) -> list[Action]:
        """All of them, the oldest first. A line that a full disk has cut short is left out."""
        if not self._path.exists():
            return []
        found = []
        for line in self._path.read_bytes().splitlines():
            try:
                found.append(msgspec.json.decode(line, type=Action))
            except msgspec.DecodeError:
                continue
        return found


def acting_user(environment: Mapping[str, str]) -> str:
    """`ana`, or `ana (sudo)`; a number where the system has no name."""
    number = os.getuid()
    behind = environment.get("SUDO_USER", "")
    if number == 0 and behind:
        return f"{behind} (sudo)"
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
