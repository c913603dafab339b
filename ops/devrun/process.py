"""One version of the code in a process of its own, which may crash, hang, or print: batch.devrun.side.Side."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import PurePath

from batch.devrun.messages import Batch, Built, Called, CodeFacts, Explained, Trouble
from batch.devrun.run import NOT_TRIED
from batch.devrun.world import World
from ops.devrun.frames import (
    Answer,
    AskNames,
    AskPages,
    AskRows,
    Build,
    Call,
    Done,
    Explain,
    FromChild,
    Load,
    Made,
    Pipe,
    Ready,
    Refused,
    decode_from_child,
)
from ops.devrun.loading import Code
from proto.errors import SettingsError

LOST_MAX = 3
"""After so many documents were lost, the rest is not tried: each may cost a whole time-out."""

_GRACE_S = 3.0  # beyond the child's own time-out, for a child whose watchdog can't run
_FRAME = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_STDERR_SHOWN = 2_000


class ProcessSide:
    """Starts the process anew after each crash. timeout_s: for a batch."""

    def __init__(self, name: str, code: Code, world: World, timeout_s: float) -> None:
        self._name, self._code, self._world, self._timeout_s = name, code, world, timeout_s
        self._lost = 0
        self._reason = ""
        self.facts: CodeFacts = self._start()

    def build(self, document_type: str, keys: Sequence[bytes]) -> Batch:
        batch, waiting = Batch([], []), list(keys)
        while waiting and self._lost < LOST_MAX:
            lost = self._request(Build(document_type, waiting), batch)
            if lost is None:
                return batch
            self._lost += 1
            self._reason = f"{self._lost} documents crashed it or took longer than {self._timeout_s:g} s"
            key = keys[len(batch.documents)]
            batch.documents.append(Built(document_type, key, lost=lost, troubles=self._blamed(document_type, lost)))
            waiting = list(keys[len(batch.documents) :])
            self._start()
        batch.documents += [Built(document_type, key, lost=Trouble(NOT_TRIED, self._reason)) for key in waiting]
        return batch

    def call(self, table: str, keys: Sequence[bytes]) -> list[Called]:
        batch = Batch([], [])
        if self._lost < LOST_MAX and self._request(Call(table, list(keys)), batch) is not None:
            self._lost += 1
            self._start()
        return batch.calls

    def explain(self, document_type: str, key: bytes) -> Explained:
        batch = Batch([], [])
        explained: list[Explained] = []
        lost = self._request(Explain(document_type, key), batch, explained)
        if lost is None:
            return explained[0]
        self._start()
        return Explained(Built(document_type, key, lost=lost, troubles=self._blamed(document_type, lost)), [])

    def close(self) -> None:
        """Ends the process."""
        self._stop()
        self._errors.close()

    def _start(self) -> CodeFacts:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        environment = {name: value for name, value in os.environ.items() if name != "ADSINDEX_DATA"}
        # the same order of sets in both versions, and no files beside the code
        environment |= {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ops.devrun.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pipe = Pipe(self._process.stdout.fileno(), self._process.stdin.fileno())
        self._pipe.send(Load(self._code, self._timeout_s))
        message = self._receive()
        if isinstance(message, Ready):
            return message.facts
        if isinstance(message, Refused):
            self._stop()
            raise SettingsError(f"the {self._name} code can't be used. {message.message}")
        lost = self._ended()
        raise SettingsError(f"the {self._name} code can't be loaded: {lost.message}\n{lost.trace}".rstrip())

    def _request(
        self, request: Build | Call | Explain, batch: Batch, explained: list[Explained] | None = None
    ) -> Trouble | None:
        """Adds what is made to the batch; why it ended before it was done."""
        try:
            self._pipe.send(request)
        except BrokenPipeError:
            return self._ended()
        while True:
            message = self._receive()
            if message is None:
                return self._ended()
            if isinstance(message, Done):
                return None
            if isinstance(message, Made):
                if message.built is not None:
                    batch.documents.append(message.built)
                if message.called is not None:
                    batch.calls.append(message.called)
                if message.explained is not None and explained is not None:
                    explained.append(message.explained)

    def _receive(self) -> FromChild | None:
        """The next message that is not a question; None: the process is no more, or says nothing."""
        try:
            while (frame := self._pipe.receive(self._timeout_s + _GRACE_S)) is not None:
                message: FromChild = decode_from_child(frame)
                answer = self._answer(message)
                if answer is None:
                    return message
                self._pipe.send(answer)
        except (TimeoutError, BrokenPipeError):
            pass
        return None

    def _answer(self, question: FromChild) -> Answer | None:
        world = self._world
        if isinstance(question, AskRows):
            return Answer(versions=list(world.read(question.table, question.group, question.keys)))
        if isinstance(question, AskPages):
            pages = world.scan_prefixes(question.table, question.prefixes, question.limit_each, question.after)
            return Answer(pages=pages)
        if isinstance(question, AskNames):
            return Answer(names=list(world.names(question.schema)))
        return None

    def _ended(self) -> Trouble:
        """Stops what is left of the process, and says how it ended."""
        code = self._stop()
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace")
        self._errors.close()
        frames = [found.groups() for found in map(_FRAME.match, text.splitlines()) if found]
        place = next((f"{PurePath(file).name}:{line}" for file, line, _ in frames), "")
        if "Timeout (" in text or code is None:
            return Trouble("TimeOut", f"did not end within {self._timeout_s:g} s", place, text[-_STDERR_SHOWN:])
        ending = f"killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return Trouble("Crash", f"the process {ending}", place, text[-_STDERR_SHOWN:])

    def _stop(self) -> int | None:
        """Its exit code; None: it had to be killed."""
        process = self._process
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            return process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def _blamed(self, document_type: str, lost: Trouble) -> dict[int, Trouble]:
        """The field whose function is in the trace."""
        seen = {(found[1], found[3]) for found in map(_FRAME.match, lost.trace.splitlines()) if found}
        fields = next(one.fields for one in self.facts.types if one.name == document_type)
        blamed = [at for at, field in enumerate(fields) if field.function[0] and field.function in seen]
        return {blamed[0]: lost} if blamed else {}
