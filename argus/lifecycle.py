"""From an empty Repo to live documents: waits for the bootstrap, then rebuilds what the flows generation needs, in the
Low lane."""

from collections.abc import Iterable, Mapping, Sequence

import xxhash

from argus.generations import load, mark_built
from argus.jobs import Jobs
from argus.processor import Argus
from argus.registry import Application
from repo.api import Repo
from repo.source_states import read_source_states
from repo.system import SourceState


class Lifecycle:
    """Creates the jobs that bring documents to the current generation, and notes when they are done.

    A type that has changed is held, its last documents being served, while a table that it reads is read again for it:
    what it gains would be NULL. What changes meanwhile is covered by the refresh, which begins later.
    """

    def __init__(
        self,
        repo: Repo,
        application: Application,
        argus: Argus,
        jobs: Jobs,
        since: Mapping[str, int],
        reads: Mapping[str, frozenset[str]],
        sources: Sequence[str],
    ) -> None:
        """since: part -> number of the generation that last changed it. reads: document type -> tables."""
        self._repo, self._application, self._argus, self._jobs = repo, application, argus, jobs
        self._reads, self._sources = reads, tuple(sorted(sources))
        self._signatures = {part: refresh_signature(number, sources) for part, number in since.items()}
        state = load(repo)
        built = state.built if state else {}
        documents = application.flows.documents
        self._built_before = {name for name in documents if f"document {name}" in built}
        argus.live = {
            name
            for name in documents
            if self._is_built(f"document {name}", built)
            or jobs.refresh_begun(name, self._signatures[f"document {name}"])
        }
        self.first = not argus.live and not self._built_before
        """True while nothing has ever been published."""
        self.settled = False
        """True once everything is bootstrapped and rebuilt."""
        self._release(self._unread(old_sources_only=True))

    def step(self) -> bool:
        """One look; True when something was started or finished. Cheap once settled."""
        if self.settled:
            return False
        self._release(self._unread(old_sources_only=True))
        if self._unread():
            return False
        state = load(self._repo)
        built = state.built if state else {}
        handled = [self._handled(name, built) for name in self._application.handlers]
        if not all(handled):
            return False
        documents = self._application.flows.documents
        self._argus.live = set(documents)  # from here on every change builds; refreshes begin at a later timestamp
        refreshed = [self._refreshed(document, built) for document in documents]
        self.settled = all(refreshed)
        self.first = self.first and not self.settled
        return self.settled

    def states(self) -> Mapping[str, SourceState]:
        """How far each source is."""
        with self._repo.snapshot() as snapshot:
            states = read_source_states(snapshot, self._sources)
        return {name: state or SourceState() for name, state in zip(self._sources, states, strict=True)}

    def _unread(self, old_sources_only: bool = False) -> set[str]:
        """Tables that are not yet read, whole, with all the columns of today. Nobody can wait for a parked one.

        old_sources_only: without those of which nothing is bootstrapped; no document reads rows of several sources.
        """
        tables = [table for table in self._application.flows.tables.values() if table.source_table]
        unread: set[str] = set()
        for name, state in self.states().items():
            if old_sources_only and not state.bootstrapped:
                continue
            for table in tables:
                if (table.sources and name not in table.sources) or table.name in state.parked:
                    continue
                read = state.columns.get(table.name)
                lacking = read is not None and not set(table.read_columns()) <= set(read)
                if lacking or table.name not in state.bootstrapped:
                    unread.add(table.name)
        return unread

    def _release(self, unread: set[str]) -> None:
        """Types with documents are built beside their refresh from the moment on at which nothing is NULL for want of
        reading it."""
        self._argus.live |= {name for name in self._built_before if unread.isdisjoint(self._reads[name])}

    def _handled(self, handler: str, built: Mapping[str, int]) -> bool:
        part = f"handler {handler}"
        if self._is_built(part, built):
            return True
        tables = sorted({observed.partition(".")[0] for observed in self._application.handlers[handler].observes})
        done = [self._jobs.handle(handler, table, self._signatures[part]) for table in tables]
        if not all(done):
            return False
        mark_built(self._repo, part, self._signatures[part])
        return True

    def _refreshed(self, document: str, built: Mapping[str, int]) -> bool:
        part = f"document {document}"
        if self._is_built(part, built):
            return True
        if not self._jobs.refresh(document, self._signatures[part]):
            return False
        mark_built(self._repo, part, self._signatures[part])
        return True

    def _is_built(self, part: str, built: Mapping[str, int]) -> bool:
        return built.get(part) == self._signatures[part]


def refresh_signature(number: int, sources: Iterable[str]) -> int:
    """What `GenerationState.built` says of a part that was brought up to date since generation `number` changed it, for
    these sources."""
    return xxhash.xxh32_intdigest("\0".join([str(number), *sorted(sources)]).encode())
