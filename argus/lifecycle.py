"""From an empty Repo to live documents: waits for the bootstrap, then rebuilds what the flows generation needs, in
the Low lane."""

from collections.abc import Iterable, Mapping, Sequence

import xxhash

from argus.generations import load, mark_built
from argus.jobs import Jobs
from argus.processor import Argus
from argus.registry import Application
from repo.api import Repo
from repo.system import SOURCES, STATE, SourceState, decode_source_state, source_key


class Lifecycle:
    """Creates the jobs that bring every document to the current generation, and notes when they are done."""

    def __init__(
        self, repo: Repo, application: Application, argus: Argus, jobs: Jobs, number: int, sources: Sequence[str]
    ) -> None:
        self._repo, self._application, self._argus, self._jobs = repo, application, argus, jobs
        self._number, self._sources = number, tuple(sorted(sources))
        built = load(repo)
        signature = refresh_signature(number, sources)
        argus.live = any(
            (built is not None and name in built.built) or jobs.refresh_begun(name, signature)
            for name in application.flows.documents
        )
        self.first = not argus.live
        """True while nothing has ever been published."""
        self.settled = False
        """True once everything is bootstrapped and rebuilt."""

    def step(self) -> bool:
        """One look; True when something was started or finished. Cheap once settled."""
        if self.settled or not self._bootstrapped():
            return False
        state = load(self._repo)
        built = state.built if state else {}
        waiting = [self._handled(name, built) for name in self._application.handlers]
        if not all(waiting):
            return False
        self._argus.live = True  # from here on every change builds; the refresh begins at a later timestamp
        done = [self._refreshed(document, built) for document in self._application.flows.documents]
        self.settled = all(done)
        self.first = self.first and not self.settled
        return self.settled

    def states(self) -> Mapping[str, SourceState]:
        """How far each source is."""
        with self._repo.snapshot() as snapshot:
            stored = snapshot.read(SOURCES, STATE, [source_key(name) for name in self._sources])
        return {
            name: decode_source_state(version.value) if version and version.value else SourceState()
            for name, version in zip(self._sources, stored, strict=True)
        }

    def _bootstrapped(self) -> bool:
        tables = [table for table in self._application.flows.tables.values() if table.source_table]
        for name, state in self.states().items():
            known = {*state.bootstrapped, *state.parked}
            if any((not table.sources or name in table.sources) and table.name not in known for table in tables):
                return False
        return True

    def _handled(self, handler: str, built: Mapping[str, int]) -> bool:
        spec = self._application.handlers[handler]
        columns = [
            (table.name, column.name, column.type)
            for table in self._application.flows.tables.values()
            for column in table.columns.values()
            if column.writer == handler
        ]
        signature = _signature(spec.version, *spec.observes, *columns, *self._sources)
        if built.get(f"handler {handler}") == signature:
            return True
        tables = sorted({observed.partition(".")[0] for observed in spec.observes})
        job_signature = _signature(self._number, signature)  # of an earlier adoption there may be a finished job
        if not all(self._jobs.handle(handler, table, job_signature) for table in tables):
            return False
        mark_built(self._repo, f"handler {handler}", signature)
        return True

    def _refreshed(self, document: str, built: Mapping[str, int]) -> bool:
        signature = refresh_signature(self._number, self._sources)
        if built.get(document) == signature:
            return True
        if not self._jobs.refresh(document, signature):
            return False
        mark_built(self._repo, document, signature)
        return True


def refresh_signature(number: int, sources: Iterable[str]) -> int:
    """What `GenerationState.built` says of a document type that was rebuilt for this generation and these sources."""
    return _signature(number, *sorted(sources))


def _signature(*parts: object) -> int:
    return xxhash.xxh32_intdigest("\0".join(map(str, parts)).encode())
