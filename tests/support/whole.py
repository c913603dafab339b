"""The whole embedded way in this process: sources, a data folder, all roles in one loop; time is the test's."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from argus.registry import register
from ops.demo.compare import Document, from_line
from ops.document_view import json_value, with_builds
from ops.opened import DataFolder
from ops.settings import load_settings
from ops.waiting import Goal, missing, newest_stands
from ops.wiring.process import Process, assemble_process
from ops.wiring.store import open_store
from proto.codec import decode_key
from proto.errors import UnavailableError
from proto.events import DOCUMENTS, DeltaDocument, decode_delta
from proto.flows.loader import load
from proto.flows.model import Flows
from proto.ports.dead_letters import DeadLetterEntry
from repo.system import CONTENT, document_table
from serving.reader import DocumentReader

TURNS_MAX = 2_000


class LeapingClock:
    """Goes on a little with each look at it, so that nothing takes no time; a test leaps."""

    def __init__(self, ms: float = 1_790_000_000_000.0) -> None:
        self.ms = ms

    def now_ms(self) -> float:
        self.ms += 0.001
        return self.ms

    monotonic_ms = now_ms


class Whole:
    """A data folder and its process. After `settle` everything that the sources have committed is served."""

    def __init__(
        self, folder: Path, sources: Mapping[str, str], flows: Path | Flows, handlers: Sequence[ModuleType] = ()
    ) -> None:
        self.folder, self.sources, self.handlers = folder, dict(sources), handlers
        self.clock = LeapingClock()
        self._closed = True
        self.process = self._opened(flows)

    def restart(self, flows: Path | Flows | None = None, handlers: Sequence[ModuleType] | None = None) -> None:
        """Another process on the same data folder, with other flows or handlers if given."""
        self.close()
        self.handlers = self.handlers if handlers is None else handlers
        self.process = self._opened(flows or self.flows)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.process.close()

    def turn(self) -> bool:
        """One turn of the loop; a millisecond passes. After one without work positions are saved, as in its sleep."""
        self.clock.ms += 1.0
        worked = self.process.loop.turn()
        if not worked:
            self.process.store.positions.flush()
        return worked

    def settle(self) -> None:
        """Turns until what `adsindex wait` waits for has come. Time leaps when there is nothing to do."""
        goal: Goal | None = None
        why = ""
        for _ in range(TURNS_MAX):
            if not self.turn():
                try:
                    goal = goal or Goal(newest_stands(self.sources))
                    why = missing(self.data, goal)
                except UnavailableError as error:
                    why = str(error)
                if not why and self.process.store.traffic.due_ms() == inf:
                    return  # and no work in the Low lane waits for its turn
                self.clock.ms += 50.0
        raise AssertionError(f"never servable: {why}; {self.errors()}")

    def errors(self) -> list[str]:
        """The last error of each step that ever failed."""
        states = [state for one in self.process.loop.passes for state in one.states]
        return [f"{state.step.name}: {state.last_error}" for state in states if state.errors]

    def documents(self, document_type: str) -> dict[Any, Document]:
        """All documents of a type, as `adsindex docs --json` prints them."""
        return {document.id: document for document in map(from_line, self.lines(document_type))}

    def lines(self, document_type: str) -> list[dict[str, Any]]:
        """The lines of `adsindex docs --json`, decoded."""
        store = self.process.store
        with store.repo.snapshot() as snapshot:
            page = snapshot.scan(document_table(document_type), CONTENT, limit=1_000_000)
            found = with_builds(snapshot, store.schemas, document_type, page)
        return [msgspec.json.decode(msgspec.json.encode(one.as_json())) for one in found if one is not None]

    def line(self, document_type: str, identity: Any) -> dict[str, Any] | None:
        """That of one document; None: there is none."""
        return next((line for line in self.lines(document_type) if line["id"] == identity), None)

    def published(self) -> Iterator[DeltaDocument]:
        """The documents among the messages of the documents topic, oldest first."""
        for message in self.process.store.log.read(DOCUMENTS, 0, 0, 10_000_000, 1 << 40):
            delta = decode_delta(message.value)
            if delta.kind == "document":
                yield delta

    def served(self, document_type: str) -> dict[Any, Document]:
        """What a reader that starts now has in the end."""
        reader = DocumentReader(self.process.store.log, self.clock)
        while reader.poll():
            pass
        found = {}
        for key in list(reader.index.keys(document_type)):
            if (one := reader.index.get(document_type, key)) is not None:
                identity = decode_key(key)[1:]
                identity = identity[0] if len(identity) == 1 else identity
                fields = {name: json_value(value) for name, value in one.fields.items()}
                found[identity] = Document(identity, fields, one.servable)
        return found

    def letters(self) -> list[DeadLetterEntry]:
        return list(self.process.store.dead_letters.entries())

    def _opened(self, flows: Path | Flows) -> Process:
        self.flows = load(flows) if isinstance(flows, Path) else flows
        store = open_store(self.folder, load_settings(self.folder, {}).settings, self.clock)
        try:
            process = assemble_process(store, register(self.flows, self.handlers), self.sources)
        except BaseException:
            store.close()
            raise
        self._closed = False
        self.data = DataFolder(
            self.folder, store.repo, store.log, store.dead_letters, store.schemas, self.flows, self.clock,
            store.environment,
        )  # fmt: skip
        return process
