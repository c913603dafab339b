"""What `adsindex flows` prints: mistakes, differences and their effects, what is admitted, definitions."""

from collections.abc import Mapping, Sequence
from typing import Any

from argus.describe import READS, Description
from argus.difference import Change
from argus.registry import Application
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.engine.liveness import LiveProcess
from ops.flows_effects import Effects, Reading, Work
from ops.flows_files import SourceFinding
from ops.times import clock_time, duration, iso
from ops.wiring.adoption import fingerprint
from proto.errors import FlowsError
from repo.system import Generation, GenerationState

_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def errors_as_json(error: FlowsError) -> dict[str, Any]:
    """All mistakes of a file."""
    alone = [
        {"file": one.file, "line": one.line, "message": one.message, "hint": one.hint} for one in (error, *error.others)
    ]
    return {"ok": False, "fingerprint": "", "errors": alone, "findings": []}


def checked_as_json(application: Application, findings: Sequence[SourceFinding]) -> dict[str, Any]:
    """A file without mistakes; what of it does not fit a database."""
    return {
        "ok": not any(one.finding.level == "error" for one in findings),
        "fingerprint": fingerprint(application.generation),
        "errors": [],
        "findings": [
            {
                "source": one.source, "level": one.finding.level, "where": one.where,
                "subject": one.finding.subject, "text": one.finding.text, "hint": one.finding.mend,
            }
            for one in findings
        ],
    }  # fmt: skip


def print_checked(file: str, application: Application, findings: Sequence[SourceFinding]) -> None:
    """The same for people."""
    flows = application.flows
    fields = sum(len(document.fields) for document in flows.documents.values())
    parts = [
        _many(len(flows.tables), "table"),
        f"{_many(len(flows.documents), 'document type')} with {_many(fields, 'field')}",
        _many(len(application.fields), "computed field"),
        _many(len(application.handlers), "handler"),
        *([_many(len(flows.signals), "signal")] if flows.signals else []),
    ]
    render.print_line(f"{file}: {', '.join(parts)}: no mistakes")
    for one in findings:
        if one.finding.level == "error":
            render.print_problem(one.sentence())
        else:
            render.print_line(f"warning: {one.sentence()}")


def effects_as_json(state: GenerationState, found: Effects) -> dict[str, Any]:
    """What changes, and what follows."""
    seconds = found.seconds()
    return {
        "generation": state.current.number,
        "next": state.next.number if state.next else None,
        "changes": [{**one._asdict(), "kind": _kind(one)} for one in found.changes],
        "documents": [{"type": one.name, "rows": one.rows} for one in found.documents],
        "handlers": [{"handler": one.name, "rows": one.rows} for one in found.handlers],
        "tables": [{"table": one.table, "columns": list(one.columns)} for one in found.readings],
        "dropped": found.dropped,
        "seconds": None if seconds is None else round(seconds, 3),
    }


def print_effects(state: GenerationState, found: Effects) -> None:
    """The same for people."""
    render.print_title(f"against generation {state.current.number}", "which is running")
    if state.next is not None:
        render.print_line(f"(generation {state.next.number} is admitted already, and waits to take over)")
    for part in dict.fromkeys(one.part for one in found.changes):
        render.print_line("")
        render.print_title(part)
        rows, styles = [], []
        for change in (one for one in found.changes if one.part == part):
            mark, style = _MARKS[_kind(change)]
            rows.append((f"  {mark}", change.item, _arrow(change)))
            styles.append(style)
        render.print_table(("", "", ""), rows, styles=styles, header=False)
    render.print_line("")
    for line in _consequences(found) or ["nothing to do: it means the same"]:
        render.print_line(line)


def applied(before: GenerationState, after: GenerationState, generation: int) -> str:
    """What `apply` has done, in a sentence."""
    if after.next is not None:
        known = before.next is not None and before.next.number == after.next.number
        return f"generation {after.next.number} {'was admitted already, and waits' if known else 'is admitted'}"
    if before.next is not None:
        return f"generation {before.next.number} is withdrawn; generation {after.current.number} goes on"
    return f"nothing to do: these are the flows of generation {after.current.number}"


def numbers_as_json(state: GenerationState, living: Sequence[LiveProcess]) -> dict[str, Any]:
    """What is admitted, and who works with it."""
    return {
        "current": state.current.number,
        "next": state.next.number if state.next else None,
        "processes": [one._asdict() for one in living],
    }


def print_state(
    state: GenerationState, held: Mapping[str, Mapping[int, int]], living: Sequence[LiveProcess], as_json: bool
) -> None:
    """held: document type -> generation -> how many documents it has built last."""
    both = [("current", state.current), *([("next", state.next)] if state.next else [])]
    if as_json:
        generations = {role: _generation_as_json(one) for role, one in both}
        documents = {
            name: {
                "changed_by": state.current.since[f"document {name}"],
                "built_by": {str(k): v for k, v in by.items()},
            }
            for name, by in held.items()
        }
        render.print_json({**numbers_as_json(state, living), "generations": generations, "documents": documents})
        return
    rows = []
    for role, one in both:
        processes = ", ".join(f"{each.role} ({each.pid})" for each in living if each.generation == one.number)
        by = "flows apply" if one.applied else "run"
        rows.append((str(one.number), role, f"{clock_time(one.admitted_ms)} UTC", by, processes or "none"))
    render.print_table(("generation", "", "admitted", "by", "processes"), rows, right=(0,))
    render.print_line("")
    documents_ = [_held(name, by, state.current.since[f"document {name}"]) for name, by in held.items()]
    render.print_table(("document", "documents", "to be built", "built by generation"), documents_, right=(1, 2))


def print_definitions(
    state: GenerationState, history: Mapping[int, Generation], number: int | None, name: str, as_json: bool
) -> int:
    """A generation's parts, or one of them, or one item of it. Returns an exit code."""
    wanted = state.current.number if number is None else number
    generation = history.get(wanted) or next(
        (one for one in (state.current, state.next) if one is not None and one.number == wanted), None
    )
    if generation is None:
        render.note(f"generation {wanted} is not known; there are: {', '.join(map(str, history))}")
        return NOT_FOUND
    found = _named(generation.description, name)
    if not found:
        render.note(f"generation {wanted} has no {name!r}; `adsindex flows show --generation {wanted}` lists all")
        return NOT_FOUND
    if as_json:
        render.print_json({**_generation_as_json(generation), "parts": found, "text": generation.text})
        return OK
    render.print_title(f"generation {wanted}", f"admitted {clock_time(generation.admitted_ms)} UTC")
    for part, items in found.items():
        render.print_line("")
        render.print_title(part, f"since generation {generation.since.get(part, wanted)}")
        render.print_table(("", ""), [(f"  {item}", text) for item, text in items.items()], header=False)
    return OK


def _named(description: Description, name: str) -> Description:
    """Without what documents depend on. name: "" for all, `product`, `product.rating`."""
    shown = {
        part: {item: text for item, text in items.items() if not item.startswith(READS)}
        for part, items in description.items()
    }
    part_name, _, item_name = name.partition(".")
    if not name:
        return shown
    whole = {part: items for part, items in shown.items() if part.split(" ", 1)[1] == name}
    if whole or not item_name:
        return whole
    return {
        part: chosen
        for part, items in shown.items()
        if part.split(" ", 1)[1] == part_name
        and (chosen := {item: text for item, text in items.items() if item.split(" ", 1)[-1] == item_name})
    }


def _generation_as_json(one: Generation) -> dict[str, Any]:
    return {
        "number": one.number,
        "admitted": iso(one.admitted_ms),
        "applied": one.applied,
        "fingerprint": fingerprint(one.hash),
        "since": one.since,
    }


def _held(name: str, by: Mapping[int, int], since: int) -> tuple[str, str, str, str]:
    old = sum(count for number, count in by.items() if number < since)
    each = ", ".join(f"{number}: {count:,}" for number, count in sorted(by.items(), reverse=True))
    return name, f"{sum(by.values()):,}", f"{old:,}", each


def _consequences(found: Effects) -> list[str]:
    lines = [_reading(one) for one in found.readings]
    lines += [f"handler {one.name} is called for {_rows(one, 'row')}" for one in found.handlers]
    lines += [
        f"{_rows(one, 'document')} of type {one.name} are built again, in the Low lane" for one in found.documents
    ]
    lines += [f"! documents of type {name} are no longer built; readers keep the last ones" for name in found.dropped]
    if found.documents or found.handlers:
        seconds = found.seconds()
        if seconds is not None and found.per_second is not None:
            about = "less than a second" if seconds < 1 else f"about {duration(seconds * 1000)}"
            lines.append(f"that takes {about}, at {found.per_second:,.0f} a second as in the last rebuilds")
        else:
            lines.append("how long that takes is not known: nothing was measured, or a table has still to be read")
    elif found.changes and not lines:
        lines.append("nothing is built again: no document depends on it")
    return lines


def _reading(one: Reading) -> str:
    if not one.columns:
        return f"table {one.table} is read, for the first time"
    columns = [name for name in one.columns if "," not in name]
    return (
        f"table {one.table} is read again, for {', '.join(columns) or 'its key'}; documents that read it wait for that"
    )


def _rows(work: Work, what: str) -> str:
    return f"all {what}s" if work.rows is None else _many(work.rows, what)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _kind(change: Change) -> str:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"


def _arrow(change: Change) -> str:
    if change.before is None or change.after is None:
        return change.after or change.before or ""
    return f"{change.before} -> {change.after}"
