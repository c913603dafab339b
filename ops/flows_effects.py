"""What follows when flows are admitted: what is built, called and read again, and about how long that takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from argus.describe import Description
from argus.difference import Change, changed_parts, difference
from argus.registry import Application
from gateway.route import fed_tables
from ops.opened import DataFolder
from proto.record import decode_build, decode_record
from repo.api import Snapshot
from repo.system import BUILD, JOBS, STATE, Generation, decode_job_state, document_table

_PAGE = 10_000
_MEASURED_JOBS = 5


@dataclass(frozen=True, slots=True)
class Work:
    """rows: how many documents, or rows that a handler is called for; None: not known before its table is read."""

    name: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A table that is read again. columns: those that it gains; empty: all of it is new."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Effects:
    """changes: nothing that people would call one when empty.

    documents, handlers   types that are built again, handlers that are called for every row
    dropped               document types that are no longer built; readers keep their last documents
    per_second            documents built in a second, as measured by the last rebuilds; None: there was none
    """

    changes: list[Change]
    documents: list[Work]
    handlers: list[Work]
    readings: list[Reading]
    dropped: list[str]
    per_second: float | None

    def seconds(self) -> float | None:
        """How long the rebuild takes, about; None: not known."""
        rows = [work.rows for work in (*self.documents, *self.handlers)]
        if self.per_second is None or None in rows:
            return None
        return sum(row or 0 for row in rows) / self.per_second


def effects(
    folder: DataFolder, current: Generation, application: Application, after: Description, sources: Sequence[str]
) -> Effects:
    """Of flows, described as `after`, when they follow the current ones."""
    before = current.description
    flows = application.flows
    kept = {part.removeprefix("document ") for part in before if part.startswith("document ")}
    with folder.repo.snapshot() as snapshot:
        documents = [
            Work(name, _count(snapshot, flows.documents[name].root, _group(folder, flows.documents[name].root)))
            for name in changed_parts(before, after, "document")
        ]
        handlers = []
        for name in changed_parts(before, after, "handler"):
            tables = {observed.partition(".")[0] for observed in application.handlers[name].observes}
            counts = [_count(snapshot, table, _group(folder, table)) for table in sorted(tables)]
            handlers.append(Work(name, None if None in counts else sum(count or 0 for count in counts)))
    return Effects(
        difference(before, after),
        documents,
        handlers,
        _readings(folder, application, sources),
        sorted(kept - set(flows.documents)),
        _per_second(folder),
    )


def built_by(folder: DataFolder, document_type: str) -> dict[int, int]:
    """Number of a generation -> how many documents it has built last."""
    found: dict[int, int] = {}
    after = b""
    with folder.repo.snapshot() as snapshot:
        while rows := snapshot.scan(document_table(document_type), BUILD, after=after, limit=_PAGE):
            for _, version in rows:
                generation = decode_build(version.value or b"").generation
                found[generation] = found.get(generation, 0) + 1
            after = rows[-1][0]
    return found


def _group(folder: DataFolder, table: str) -> str:
    """Where the keys of a table stand today; "": it is new."""
    known = folder.flows.tables.get(table)
    return known.key_group() if known is not None else ""


def _count(snapshot: Snapshot, table: str, group: str) -> int | None:
    """Rows that are there, not those of which a record says that they were deleted."""
    if not group:
        return None
    count, after = 0, b""
    while rows := snapshot.scan(table, group, after=after, limit=_PAGE):
        count += sum(decode_record(version.value or b"").values is not None for _, version in rows)
        after = rows[-1][0]
    return count


def _readings(folder: DataFolder, application: Application, sources: Sequence[str]) -> list[Reading]:
    """As the gateway will find them: what has gained columns since it was last read."""
    found: dict[str, Reading] = {}
    states = folder.source_states()
    for source in sources:
        state = states.get(source)
        for table in fed_tables(application.flows, source):
            if state is None or table.name not in state.bootstrapped:
                found[table.name] = Reading(table.name, ())
                continue
            read = set(state.columns.get(table.name, table.read_columns()))
            gained = tuple(name for name, kind, lane in table.read_columns() if (name, kind, lane) not in read)
            if gained and table.name not in found:
                found[table.name] = Reading(table.name, gained)
    return list(found.values())


def _per_second(folder: DataFolder) -> float | None:
    finished = []
    with folder.repo.snapshot() as snapshot:
        after = b""
        while rows := snapshot.scan(JOBS, STATE, after=after):
            jobs = [decode_job_state(version.value or b"") for _, version in rows]
            finished += [job for job in jobs if job.kind == "refresh" and job.state == "done" and job.done]
            after = rows[-1][0]
    finished.sort(key=lambda job: -job.finished_ms)
    measured = finished[:_MEASURED_JOBS]
    duration_ms = sum(job.finished_ms - job.started_ms for job in measured)
    return sum(job.done for job in measured) / duration_ms * 1000 if duration_ms > 0 else None
