"""Traces: what a change went through from the source's commit until documents with it were readable; sums over many."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

TIMES = ("committed", "captured", "applied", "built", "published", "serving")
"""What happens to a change, in order."""
STAGES = ("capture", "apply", "build", "publish", "serve")
"""Each leads from one of TIMES to the next."""
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class CausingRow(msgspec.Struct, kw_only=True):
    """A row whose change led to a new version of a document.

    what      "inserted", "changed", "deleted", "parked", or "" when its versions are no longer kept
    columns   name -> (old, new)
    writer    "source main @ 4711" (the position in the source's change log), or a handler
    """

    table: str
    id: Any
    what: str = ""
    columns: dict[str, tuple[Any, Any]] = {}
    writer: str = ""


class Trace(msgspec.Struct, kw_only=True):
    """One version of one document, and how it came about.

    kind        "edit": committed in the source; "backfill": read by chunks; "rebuild": of flows, a signal, a refresh;
                "unpublished": a newer version took its place before it was published, it is still to be published, or
                the documents topic no longer holds it
    what        "created", "changed", "deleted"; "oldest kept": created or changed, what was before is kept no longer
    change      commit timestamp of the change in the Repo; 0: not known
    at_ms       name of TIMES -> wall clock, ms; None: not known, or not applicable. `committed` is the time of the
                source's trigger; of several changes that one build took together, the newest
    rows        what changed, as far as the log still says so
    fields      name -> (old, new); None where they were not asked for, or not known
    """

    type: str
    id: Any
    source: str
    sequence: int
    kind: str
    what: str = ""
    lane: str = ""
    change: int = 0
    at_ms: dict[str, float | None] = {}
    rows: list[CausingRow] = []
    fields: dict[str, tuple[Any, Any]] | None = None

    def stages_ms(self) -> dict[str, float | None]:
        """Stage -> ms that it took; None where one of its ends is not known."""
        ends = [self.at_ms.get(name) for name in TIMES]
        return {stage: _between(*span) for stage, span in zip(STAGES, pairwise(ends), strict=True)}

    def total_ms(self) -> float | None:
        """From the source's commit until it was readable."""
        return _between(self.at_ms.get(TIMES[0]), self.at_ms.get(TIMES[-1]))


class Spread(NamedTuple):
    """Quantiles of some ms; samples: how many. by: "edit" (until its last document), "lane", "table", "stage" (of each
    document)."""

    by: str
    name: str
    samples: int
    quantiles: Mapping[str, float]


def spreads(traces: Sequence[Trace]) -> list[Spread]:
    """Of the edits among them: the whole way, by lane and by the table that changed; then each stage."""
    edits = [trace for trace in traces if trace.kind == "edit"]
    whole: dict[int, float] = {}
    for trace in edits:
        if (total_ms := trace.total_ms()) is not None:
            whole[trace.change] = max(total_ms, whole.get(trace.change, 0.0))
    found = [_spread("edit", "", whole.values())]
    found += _grouped("lane", edits, lambda trace: [trace.lane])
    found += _grouped("table", edits, lambda trace: sorted({row.table for row in trace.rows}))
    for stage in STAGES:
        found.append(_spread("stage", stage, [trace.stages_ms()[stage] for trace in edits]))
    return [spread for spread in found if spread.samples]


def _grouped(by: str, traces: Iterable[Trace], names_of: Callable[[Trace], list[str]]) -> list[Spread]:
    groups: dict[str, list[Trace]] = {}
    for trace in traces:
        for name in names_of(trace):
            groups.setdefault(name, []).append(trace)
    return [_spread(by, name, _totals(groups[name])) for name in sorted(groups)]


def _totals(traces: Iterable[Trace]) -> list[float | None]:
    return [trace.total_ms() for trace in traces]


def _spread(by: str, name: str, values: Iterable[float | None]) -> Spread:
    known = sorted(value for value in values if value is not None)
    if not known:
        return Spread(by, name, 0, {})
    quantiles = {label: known[min(int(len(known) * share), len(known) - 1)] for label, share in _SHARES.items()}
    return Spread(by, name, len(known), {**quantiles, "max": known[-1]})


def _between(begin: float | None, end: float | None) -> float | None:
    """Never below zero: the trigger's clock is whole milliseconds, up to two of them late."""
    return None if begin is None or end is None else max(0.0, end - begin)
