"""`adsindex backfill`: rows of a feed from Parquet or JSON Lines, through the Low lane."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.backfill import BackfillProgress
from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.cli.publish import describe
from ops.engine.doorbell import Doorbell
from ops.engine.liveness import Liveness
from ops.engine.pauses import Pauses
from ops.inputs.backfilling import Backfilling, Request, Summary, Tell
from ops.inputs.files import Format
from ops.opened import opened
from ops.settings import load_settings
from ops.times import parse_time


def backfill(
    path: Annotated[Path, Parameter(help="A file, or a folder of files.")],
    /,
    *,
    table: Annotated[str, Parameter(help="A table with feed = true.")],
    format: Annotated[Format | None, Parameter(help="Default: as the file's name ends.")] = None,
    map: Annotated[
        list[str] | None, Parameter(help="FILE_COLUMN=COLUMN, or FILE_COLUMN= to leave it out; several times.")
    ] = None,
    as_of: Annotated[
        str | None,
        Parameter(
            name="--as-of",
            allow_leading_hyphen=True,
            help="When the rows held: newer ones stay. Default: the file's time of change.",
        ),
    ] = None,
    source: Annotated[str, Parameter(help="Among whose rows they are, if there are several sources.")] = "",
    partial: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Columns that a row does not have stay as they are.")
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Check every row, say what would change, send nothing.")
    ] = False,
    resume: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Go on where the last one was stopped.")
    ] = False,
    report: Annotated[
        Path | None, Parameter(help="JSON Lines: each rejected row with its number, column and reason.")
    ] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Bring rows of a feed from Parquet or JSON Lines, in the Low lane, while edits go on in the others.

    It may be stopped and killed (--resume), and run twice. Exit code 1: rows were rejected, or nobody applies them.

    For example:

        adsindex backfill scores.parquet --table pin_scores --map pin=pin_id --dry-run
        adsindex backfill scores/ --table pin_scores --as-of 2026-11-22T06:00:00Z
        adsindex backfill scores/ --table pin_scores --resume --json
    """
    with opened(data) as folder, closing(Doorbell(data)) as bell, closing(Liveness(data)) as liveness:
        folder.environment.on_commit.append(bell.ring)
        as_of_ms = None if as_of is None else parse_time(as_of, folder.clock.now_ms()) / 1e6
        request = Request(
            path, table, source, format, tuple(map or ()), as_of_ms, partial, dry_run, resume, report,
        )  # fmt: skip
        settings = load_settings(data, os.environ).settings.gateway
        with _progress(json) as tell:
            told = _telling_pauses(Pauses(data), tell)
            summary = Backfilling(folder, request, settings, liveness, time.sleep, told).run()
    if json:
        render.print_json(summary)
    else:
        _print(summary)
    return WRONG if summary.rejected or summary.written is None else OK


def _print(summary: Summary) -> None:
    counts = [("read", summary.read), ("written", summary.written), ("unchanged", summary.unchanged)]
    counts += [("older than what is stored", summary.older), ("rejected", summary.rejected)]
    counts += [("same key again", summary.duplicates)]
    remark = "dry run: nothing was sent" if summary.dry_run else f"{summary.seconds:,.1f} s"
    resumed = f"went on behind row {summary.resumed_at:,}" if summary.resumed_at is not None else ""
    render.print_title(f"{summary.table}: {summary.files} file{'s'[: summary.files != 1]}", remark, resumed)
    render.print_table(
        ("rows", ""),
        [(name, "?" if count is None else f"{count:,}") for name, count in counts],
        right=(1,),
        header=False,
    )
    for one in summary.remarks:
        column = f", column {one.column!r}" if one.column else ""
        render.print_line(f"{Path(one.file).name}, row {one.row:,}{column}: {one.reason}")
    if summary.rejected + summary.duplicates > len(summary.remarks):
        render.print_line(f"... all of them: {summary.report or 'name a file with --report'}")
    if summary.written is None:
        render.print_problem(f"{summary.sent:,} rows are sent, and applied once `adsindex run` runs")


def _telling_pauses(pauses: Pauses, tell: Tell) -> Tell:
    """Says once, on standard error, what somebody has paused in the Low lane: a backfill waits for it without end."""
    said = False

    def both(progress: BackfillProgress, applied: int) -> None:
        nonlocal said
        tell(progress, applied)
        held = [] if said else [pause for pause in pauses.all() if pause.lane == "low"]
        for pause in held:
            stage = f" --stage {pause.stage}" if pause.stage else ""
            go_on = f"go on with: adsindex lanes resume low{stage}"
            render.note(f"{pause.name} is paused{describe(pause)}: what is brought waits there; {go_on}")
        said = said or bool(held)

    return both


@contextmanager
def _progress(quiet: bool) -> Iterator[Tell]:
    """A bar on a terminal, on standard error."""
    errors = Console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda progress, applied: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as shown:
        task = shown.add_task("backfill", total=1.0, note="")

        def tell(progress: BackfillProgress, applied: int) -> None:
            done = f"{min(progress.at + 1, len(progress.files))} of {len(progress.files)}"
            note = f"file {done}, {progress.read:,} rows read, {applied:,} applied, {progress.rejected:,} rejected"
            shown.update(task, total=1.0, completed=progress.share, note=note)

        yield tell
