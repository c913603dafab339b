"""A dry run on a data folder: both versions of the code, started; the report, or one document explained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argus.generations import load as load_generations
from batch.devrun.explanation import Explanation, explain_fields
from batch.devrun.messages import CodeFacts
from batch.devrun.report import Report
from batch.devrun.run import compare
from batch.devrun.summary import Circumstances, summarize
from batch.devrun.world import World
from ops.addresses import Address, shown_address
from ops.devrun.candidates import with_rows
from ops.devrun.loading import Code
from ops.devrun.process import ProcessSide
from ops.document_view import read_documents
from ops.installation import load_installation
from ops.opened import DataFolder
from ops.times import clock_time_of
from proto.errors import SettingsError
from repo.api import Snapshot


@dataclass(frozen=True, slots=True)
class Versions:
    """The two versions of the code. name: what the new one was called by."""

    running: Code
    new: Code
    name: str


def versions_of(folder: DataFolder, handlers: Sequence[str], flows: Path | None, running: Sequence[str]) -> Versions:
    """handlers, flows: the new code; running: handlers in place of those that the folder remembers. Raises
    SettingsError."""
    if not handlers and flows is None:
        raise SettingsError("name the new code: adsindex devrun --handlers NEW, or --flows NEW, or both")
    installation = load_installation(folder.path)
    stored, now = folder.flows.text, list(running) or installation.handlers
    old = Code(stored, installation.flows or folder.flows.file, now, [], stored)
    text, file = (stored, old.flows_file) if flows is None else (_read(flows), str(flows.resolve()))
    name = ", ".join([*handlers, *([str(flows)] if flows else [])])
    return Versions(old, Code(text, file, now, list(handlers), stored), name)


class DryRun:
    """Both versions at work on one snapshot."""

    def __init__(
        self, folder: DataFolder, snapshot: Snapshot, versions: Versions, running: ProcessSide, new: ProcessSide
    ) -> None:
        self._folder, self._snapshot, self._versions = folder, snapshot, versions
        self._running, self._new = running, new
        self._sources = folder.sources()

    def compare(
        self, documents: Mapping[str, Sequence[bytes]], drawn: str, seed: int, tell: Callable[[int], None]
    ) -> Report:
        """documents: type -> keys; drawn: how they were, for people."""
        facts = self._running.facts, self._new.facts
        sample = with_rows(self._folder, self._snapshot, documents, facts, seed)
        comparison, stopped = compare(self._running, self._new, sample, self._stored, self._name_of, tell)
        when = f"{clock_time_of(self._snapshot.timestamp)} UTC"
        circumstances = Circumstances(
            str(self._folder.path), self._snapshot.timestamp, when, seed, drawn, self._versions.name
        )
        return summarize(comparison, facts[1], circumstances, _drift(self._folder, facts[0]), stopped)

    def explain(self, address: Address) -> Explanation:
        """One document, built by both."""
        before, after = (side.explain(address.document, address.key) for side in (self._running, self._new))
        fields = explain_fields(before, after, self._running.facts, self._new.facts)
        when = f"{clock_time_of(self._snapshot.timestamp)} UTC"
        name, remarks = self._name_of(address.document, address.key), self._new.facts.remarks
        return Explanation(name, self._snapshot.timestamp, when, self._versions.name, fields, remarks)

    def _stored(self, document_type: str, keys: Sequence[bytes]) -> Sequence[Mapping[str, object] | None]:
        if document_type not in self._folder.flows.documents:
            return [None] * len(keys)
        found = read_documents(self._snapshot, self._folder.schemas, document_type, keys)
        return [None if one is None else one.fields for one in found]

    def _name_of(self, table: str, key: bytes) -> str:
        return shown_address(table, key, self._sources)


@contextmanager
def dry_run(folder: DataFolder, snapshot: Snapshot, versions: Versions, timeout_s: float) -> Iterator[DryRun]:
    """Starts a process for each version. Raises SettingsError when one can't be loaded. timeout_s: for a batch."""
    world = World(snapshot, list(folder.repo.tables()), folder.schemas)
    running = ProcessSide("running", versions.running, world, timeout_s)
    try:
        new = ProcessSide("new", versions.new, world, timeout_s)
        try:
            yield DryRun(folder, snapshot, versions, running, new)
        finally:
            new.close()
    finally:
        running.close()


def _drift(folder: DataFolder, facts: CodeFacts) -> list[str]:
    """Whether the code that is called running is the one that the documents were built with."""
    admitted = load_generations(folder.repo)
    known = [one.hash for one in (admitted.current, admitted.next) if one is not None] if admitted is not None else []
    if not known or facts.generation in known:
        return []
    return [
        "the code that is called running here has other versions of functions than the one that built the index: it "
        "was changed since it was started; name the old one with --running"
    ]


def _read(flows: Path) -> str:
    try:
        return flows.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--flows {flows} can't be read: {error}") from None
