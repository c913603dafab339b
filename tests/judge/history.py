"""List-append histories, as Jepsen and Elle have them: what each client asked for, when, and what it was told."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns
from typing import Literal, NamedTuple, TextIO

Outcome = Literal["ok", "fail", "unknown"]
"""fail: it did not happen, and never will. unknown: its client was not told, or died."""


class Operation(NamedTuple):
    """reads: None: it appends `element` to the list. Else the list that it has read (of a transaction that is not `ok`
    nothing is known: empty)."""

    key: str
    element: str = ""
    reads: tuple[str, ...] | None = None


@dataclass(eq=False)
class Transaction:
    """process: does one after another. began_ns, ended_ns: of one clock for all processes; None: it never ended."""

    process: str
    operations: list[Operation]
    outcome: Outcome = "unknown"
    began_ns: int = 0
    ended_ns: int | None = None

    def appends(self) -> Iterator[tuple[str, str]]:
        """Key and element of each."""
        return ((one.key, one.element) for one in self.operations if one.reads is None)

    def __str__(self) -> str:
        return f"{self.process}[{', '.join(map(_told, self.operations))}]"


@dataclass
class Log:
    """Writes what happens to a file, a line before it is tried and a line after; a process that is killed in between
    leaves the first one."""

    file: TextIO
    counts: dict[str, int] = field(default_factory=dict)

    def invoke(self, process: str, operations: Iterable[Operation]) -> None:
        self._write(process, "invoke", operations)

    def complete(self, process: str, outcome: Outcome, operations: Iterable[Operation]) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        self._write(process, outcome, operations)

    def _write(self, process: str, event: str, operations: Iterable[Operation]) -> None:
        self.file.write(json.dumps([process, event, monotonic_ns(), list(operations)]) + "\n")
        self.file.flush()


def transactions(files: Iterable[Path]) -> list[Transaction]:
    """What the files tell, each transaction once, in the order in which they began."""
    found: list[Transaction] = []
    for file in files:
        open_ones: dict[str, Transaction] = {}
        for line in file.read_text().splitlines(keepends=True):
            if not line.endswith("\n"):
                break  # its writer was killed
            process, event, at_ns, operations = json.loads(line)
            asked = [
                Operation(key, element, None if reads is None else tuple(reads)) for key, element, reads in operations
            ]
            if event == "invoke":
                found.append(Transaction(process, asked, began_ns=at_ns))
                open_ones[process] = found[-1]
            else:
                done = open_ones.pop(process)
                done.operations, done.outcome, done.ended_ns = asked, event, at_ns
    return sorted(found, key=lambda one: one.began_ns)


def _told(operation: Operation) -> str:
    if operation.reads is None:
        return f"append {operation.key} {operation.element}"
    return f"read {operation.key} ...{' '.join(operation.reads[-3:])}"
