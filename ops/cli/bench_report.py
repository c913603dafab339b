"""What `adsindex bench` prints for people."""

from collections.abc import Iterator, Mapping

from ops.bench.figures import Figures
from ops.cli import render


def print_figures(figures: Figures) -> None:
    """One table, the phases in order, and what they were measured on."""
    machine = figures.machine
    render.print_title(
        f"Job {figures.job}, scale {figures.scale}: {figures.documents:,} documents",
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, {machine['system']}",
    )
    versions = ", ".join(f"{name} {version}" for name, version in figures.versions.items())
    settings = ", ".join(f"{name} {value}" for name, value in figures.settings.items())
    render.print_line(f"{versions}; seed {figures.seed}; {settings}")
    rows = [row for row in _rows(figures) if row[2]]
    render.print_table(["", "", ""], rows, right=[2], header=False)
    problems = {"wrong": figures.mismatches, "lost": figures.lost, "torn": figures.torn, "twice": figures.duplicates}
    found = ", ".join(f"{count:,} {name}" for name, count in problems.items() if count is not None)
    text = (
        f"{figures.compared:,} documents compared with a join in SQL, {figures.looked_at:,} versions looked at: {found}"
    )
    (render.print_line if figures.good else render.print_problem)(text)


def _rows(figures: Figures) -> Iterator[tuple[str, str, str]]:
    yield "a", "cold load, documents a second", _number(figures.load_docs_per_s)
    edits = f"one edit -> servable, ms, of {figures.trickle_edits or 0:,}"
    yield from _mapped("b", edits, figures.trickle_ms, 2)
    burst = f"burst of {figures.burst_documents or 0:,}, documents a second"
    yield "c", burst, _number(figures.burst_docs_per_s)
    yield from _mapped("", "  where its time goes, us a document", figures.stages_us_per_doc, 1)
    yield from _mapped("d", "fan-out, ms, documents:", figures.fanout_ms, 1)
    yield from _mapped("e", "delete and re-insert, ms", figures.reinsert_ms, 1)
    yield from _mapped("f", "kill -9", figures.crash, 0)
    if figures.high_p99_ms is not None and figures.high_p99_shift is not None:
        yield from _mapped(
            "h", "p99 of single edits, ms, best run", {k: min(v) for k, v in figures.high_p99_ms.items()}, 2
        )
        yield "", "p99 beside a refresh, of the medians", f"{figures.high_p99_shift:+.0%}"
        yield "", "documents a second that were refreshed meanwhile", _number(figures.refresh_docs_per_s)
    yield "", "memory at most, MB, without mapped pages", _number(figures.rss_mb)
    yield "", "  of it the reader's documents", _number(figures.reader_mb)


def _mapped(phase: str, label: str, values: Mapping[str, float] | None, digits: int) -> Iterator[tuple[str, str, str]]:
    for at, (name, value) in enumerate((values or {}).items()):
        yield phase if at == 0 else "", f"{label if at == 0 else ' ' * len(label)}  {name}", f"{value:,.{digits}f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
