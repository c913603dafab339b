"""`adsindex signals`: how pull signals are doing, as the processes that ask for them see it."""

from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.liveness import Liveness
from ops.engine.status import ProcessStatus, SignalStatus, read_statuses
from ops.opened import opened
from ops.times import ago, iso
from proto.flows.model import Flows


def signals(*, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show how signals are doing: breakers, caches, ages, errors; since their process began.

    For example:

        adsindex signals --data adsindex-data
        adsindex signals --json

    Exit code 1: a signal is not being asked, because it has failed too often, or its newest call failed.
    """
    with opened(data) as folder:
        now_ms, flows = folder.clock.now_ms(), folder.flows
        live = [process.pid for process in Liveness(folder.path).others()]
        processes = [one for one in read_statuses(folder.path, live) if one.signals]
    problems = [problem for process in processes for problem in signal_problems(process, now_ms)]
    if json:
        for process in processes:
            for signal in process.signals:
                render.print_json(_as_json(process, signal, flows, now_ms))
    elif not flows.signals:
        render.print_line("the flows file has no signals")
    elif not processes:
        render.print_line("nothing runs that asks for signals: start it with `adsindex run`")
    else:
        _print(processes, flows, problems, now_ms)
    return WRONG if problems else OK


def signal_problems(process: ProcessStatus, now_ms: float) -> Iterator[str]:
    """One sentence for each signal that is left alone, or whose newest call failed."""
    for signal in process.signals:
        when = ago(signal.last_error_ms, now_ms) if signal.last_error else ""
        if signal.breaker != "closed":
            again = f" {ago(signal.open_until_ms, now_ms)}" if signal.open_until_ms > now_ms else ""
            yield f"signal {signal.name} fails: {signal.last_error} ({when}; asked again{again})"
        elif signal.failed_ms > signal.succeeded_ms:
            yield f"signal {signal.name} failed when it was last called: {signal.last_error} ({when})"


def _print(processes: list[ProcessStatus], flows: Flows, problems: list[str], now_ms: float) -> None:
    for problem in problems:
        render.print_problem(problem)
    if problems:
        render.print_line("")
    rows = [_row(signal, flows, now_ms) for process in processes for signal in process.signals]
    columns = ("signal", "breaker", "known", "oldest", "may be", "hits", "misses", "calls", "failed", "waiting")
    render.print_table(columns, rows, right=(2, 4, 5, 6, 7, 8, 9))
    errors = [
        (signal.name, ago(signal.last_error_ms, now_ms), signal.last_error)
        for process in processes
        for signal in process.signals
        if signal.last_error
    ]
    if errors:
        render.print_line("")
        render.print_table(("signal", "last error", ""), errors)


def _row(signal: SignalStatus, flows: Flows, now_ms: float) -> tuple[str, ...]:
    declared = flows.signals.get(signal.name)
    return (
        signal.name,
        signal.breaker,
        f"{signal.cached:,}",
        ago(signal.oldest_ms, now_ms) if signal.oldest_ms else "",
        f"{declared.max_age_s:g} s" if declared else "",
        f"{signal.hits:,}",
        f"{signal.misses:,}",
        f"{signal.calls:,}",
        f"{signal.failed_calls:,}",
        f"{signal.waiting:,}",
    )


def _as_json(process: ProcessStatus, signal: SignalStatus, flows: Flows, now_ms: float) -> dict[str, Any]:
    """Times as ISO-8601, and ages in seconds."""
    found: dict[str, Any] = {"process": process.pid}
    for name, value in to_builtins(signal).items():
        if name.endswith("_ms"):
            found[f"{name.removesuffix('_ms')}_at"] = iso(value) if value else None
        else:
            found[name] = value
    found["oldest_age_s"] = round((now_ms - signal.oldest_ms) / 1000, 3) if signal.oldest_ms else None
    declared = flows.signals.get(signal.name)
    if declared is not None:
        found |= {"fetch": declared.fetch, "max_age_s": declared.max_age_s, "on_failure": declared.on_failure}
    return found
