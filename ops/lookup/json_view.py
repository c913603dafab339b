"""Answers and traces as programs get them: from the command line, the service, the pages."""

from typing import Any

from ops.times import iso, iso_of
from ui.traces import CausingRow, Trace
from ui.why.finding import Why


def why_json(answer: Why) -> dict[str, Any]:
    """What `adsindex why --json` prints."""
    return {
        "type": answer.type,
        "id": answer.id,
        "source": answer.source,
        "code": answer.code,
        "serving": answer.serving,
        "current": answer.current,
        "sentence": answer.sentence,
        "next_step": answer.next_step or None,
        "as_of": answer.as_of,
        "as_of_time": None if answer.as_of is None else iso_of(answer.as_of),
        "findings": [
            {"code": one.code, "state": one.state, "sentence": one.sentence, "next_step": one.next_step or None}
            for one in answer.findings
        ],
        "trace": None if answer.trace is None else trace_json(answer.trace),
    }


def trace_json(trace: Trace) -> dict[str, Any]:
    """One line of `adsindex trace --json`."""
    total_ms = trace.total_ms()
    shown: dict[str, Any] = {
        "type": trace.type,
        "id": trace.id,
        "source": trace.source,
        "sequence": trace.sequence,
        "time": iso_of(trace.sequence),
        "what": trace.what or None,
        "kind": trace.kind,
        "lane": trace.lane or None,
        "change": trace.change or None,
        "at": {name: None if at_ms is None else iso(at_ms) for name, at_ms in trace.at_ms.items()},
        "stages_ms": {stage: _rounded(took_ms) for stage, took_ms in trace.stages_ms().items()},
        "total_ms": _rounded(total_ms),
        "rows": [_row_json(row) for row in trace.rows],
    }
    if trace.fields is not None:
        shown["fields"] = {name: {"old": old, "new": new} for name, (old, new) in trace.fields.items()}
    return shown


def _row_json(row: CausingRow) -> dict[str, Any]:
    return {
        "table": row.table,
        "id": row.id,
        "what": row.what or None,
        "writer": row.writer or None,
        "columns": {name: {"old": old, "new": new} for name, (old, new) in row.columns.items()},
    }


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)
