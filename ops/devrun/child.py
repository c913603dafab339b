"""The process in which one version of the code runs: it loads it, builds what it is asked to, and asks for rows.

It knows no data folder: whatever the code does, nothing of the index can be changed from here. `python -m
ops.devrun.child` is started by ops.devrun.process, and by nobody else.
"""

import faulthandler
import os
import sys
import time
from collections.abc import Iterable, Sequence

from batch.devrun.builder import DryBuilder
from batch.devrun.messages import Built, Called
from batch.devrun.troubles import trouble_of
from ops.devrun.frames import (
    Answer,
    AskNames,
    AskPages,
    AskRows,
    Build,
    Call,
    Done,
    Explain,
    Load,
    Made,
    Pipe,
    Ready,
    Refused,
    decode_to_child,
    versions_of,
)
from ops.devrun.loading import load_code
from proto.errors import AdsIndexError
from repo.api import Version


class Asked:
    """repo.api.Reads and repo.rows.SchemaNames: everything is asked of the other process."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        return versions_of(self._ask(AskRows(table, group, list(keys)))) if keys else []

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        return [b"one"] * len(tables)  # one snapshot

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        return self._ask(AskPages(table, list(prefixes), limit_each, after)).pages if prefixes else []

    def names(self, schema_id: int) -> tuple[str, ...]:
        return tuple(self._ask(AskNames(schema_id)).names)

    def _ask(self, question: AskRows | AskPages | AskNames) -> Answer:
        self._pipe.send(question)
        frame = self._pipe.receive()
        if frame is None:
            sys.exit(1)
        answer = decode_to_child(frame)
        assert isinstance(answer, Answer)
        return answer


def main() -> None:
    """Serves requests until the pipe is closed."""
    pipe = _pipe()
    frame = pipe.receive()
    load = decode_to_child(frame) if frame is not None else None
    if not isinstance(load, Load):
        return
    builder = _load(pipe, load)
    while builder is not None and (frame := pipe.receive()) is not None:
        request = decode_to_child(frame)
        faulthandler.dump_traceback_later(load.timeout_s, exit=True)
        if isinstance(request, Build):
            _send(pipe, builder.build(request.type, request.keys))
        elif isinstance(request, Call):
            _send(pipe, builder.call(request.table, request.keys))
        elif isinstance(request, Explain):
            pipe.send(Made(explained=builder.explain(request.type, request.key)))
        faulthandler.cancel_dump_traceback_later()
        pipe.send(Done())


def _pipe() -> Pipe:
    """Standard input and output are ours; what the code prints goes to standard error."""
    pipe = Pipe(os.dup(0), os.dup(1))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    faulthandler.enable()
    return pipe


def _load(pipe: Pipe, load: Load) -> DryBuilder | None:
    faulthandler.dump_traceback_later(load.timeout_s, exit=True)
    try:
        loaded = load_code(load.code)
        asked = Asked(pipe)
        builder = DryBuilder(loaded.application, asked, asked, time.perf_counter_ns, loaded.files)
    except AdsIndexError as error:
        pipe.send(Refused(str(error)))
        return None
    except Exception as error:  # whatever an author's module does when it is imported
        pipe.send(Refused(trouble_of(error).trace))
        return None
    builder.facts.remarks = loaded.remarks
    pipe.send(Ready(builder.facts))
    faulthandler.cancel_dump_traceback_later()
    return builder


def _send(pipe: Pipe, made: Iterable[Built | Called]) -> None:
    for one in made:
        pipe.send(Made(built=one) if isinstance(one, Built) else Made(called=one))


if __name__ == "__main__":
    main()
