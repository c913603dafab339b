"""What the demo shows at its end: latencies by lane and stage, one edit's effect, the verdict."""

from collections.abc import Mapping
from pathlib import Path

from ops.cli import render
from ops.demo.play import DemoResult, Example

_QUANTILES = ("p50", "p90", "p99", "max")


def print_report(result: DemoResult, rate: float, seconds: float, keep: Path | None) -> None:
    """For people."""
    if result.edits:
        _latencies(result, rate, seconds)
    if result.example is not None:
        _example(result.example)
    _verdict(result)
    if keep is not None:
        render.print_line("")
        render.print_line(f"Look around: adsindex doc ad/7 --data {keep / 'data'}")


def _latencies(result: DemoResult, rate: float, seconds: float) -> None:
    title = f"{result.edits:,} edits in {seconds:g} s, {rate:g} a second"
    render.print_title(title, "ms from the editor's COMMIT until every document of the edit was servable")
    rows = [_row("an edit, whole way", result.latency_ms)]
    rows += [_row(f"lane {lane}, a document", values) for lane, values in result.lanes_ms.items()]
    rows += [_row(f"stage {stage}", values) for stage, values in result.stages_ms.items()]
    render.print_table(["", *_QUANTILES], rows, right=(1, 2, 3, 4))


def _row(name: str, values: Mapping[str, float]) -> list[str]:
    return [name, *(f"{values[quantile]:.2f}" for quantile in _QUANTILES)]


def _example(example: Example) -> None:
    render.print_line("")
    title = f"ad/{example.id} after the edit {example.kind!r}"
    render.print_title(title, f"{len(example.changed)} of {example.fields} fields changed, {example.latency_ms:.2f} ms")
    rows = [[name, render.shown(old), render.shown(new)] for name, (old, new) in example.changed.items()]
    render.print_table(["field", "before", "after"], rows)


def _verdict(result: DemoResult) -> None:
    render.print_line("")
    checked = f"{result.documents:,} documents checked against a join made in SQL"
    counts = f"{result.mismatches} differ, {result.lost} edits lost, {result.torn} torn"
    if result.unchecked:
        render.print_line(f"Not in that join (ops/demo/expected.sql), and not checked: {', '.join(result.unchecked)}.")
    if result.good:
        render.print_line(f"All is well: {checked}: {counts}.")
        return
    render.print_problem(f"{checked}: {counts}.")
    if result.unreached:
        render.print_problem(f"not reached: {result.unreached}")
    for line in result.examples:
        render.print_line(f"  {line}")
