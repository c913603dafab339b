"""`adsindex demo`: everything in one process on a sample ads database, under live edits."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import structlog
from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ops.cli import render
from ops.cli.demo_report import print_report
from ops.cli.exit_codes import OK, USAGE, WRONG
from ops.cli.parameters import Json
from ops.demo.play import play
from ops.demo.scale import SCALES
from ops.settings import load_settings

Tell = Callable[[str, float, float], None]
_ACTS = {
    "generate": "making the sample database",
    "bootstrap": "building every document",
    "edits": "editing, live",
}


def demo(
    *,
    scale: Annotated[
        Literal["tiny", "small", "j4", "1m"], Parameter(help="60, 2,000, 50,000 or 1,000,000 ads.")
    ] = "small",
    seconds: Annotated[float, Parameter(help="How long edits go on.")] = 10.0,
    rate: Annotated[float, Parameter(help="Edits a second.")] = 100.0,
    seed: Annotated[int, Parameter(help="The same seed makes the same database and edits.")] = 1,
    headless: Annotated[
        bool, Parameter(negative=(), show_default=False, help="No progress bars; for scripts.")
    ] = False,
    keep: Annotated[Path | None, Parameter(help="Keep database and data folder here, to look around in.")] = None,
    json: Json = False,
) -> int:
    """Make a sample ads database, index it, edit it live, and check every document against a join made in SQL.

    The last line of --json is one object; exit code 1 if a document is wrong, lost or torn.

    For example:

        adsindex demo
        adsindex demo --headless --seconds 15 --scale small --json
        adsindex demo --keep /tmp/ads && adsindex doc ad/7 --data /tmp/ads/data
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=os.fdopen(os.dup(2), "w", buffering=1)))
    if keep is not None and (keep / "ads.db").exists():
        render.note(f"adsindex: {keep} has a demo already; remove it, or choose another folder")
        return USAGE
    with _folder(keep) as folder, _progress(headless or json) as tell:
        settings = load_settings(folder / "data", os.environ).settings
        result = play(folder, SCALES[scale], settings, rate, seconds, seed, tell)
    if json:
        render.print_json(result)
    else:
        print_report(result, rate, seconds, keep)
    return OK if result.good else WRONG


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="adsindex-demo-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _progress(quiet: bool) -> Iterator[Tell]:
    """Bars on a terminal, one line an act elsewhere."""
    if quiet:
        yield lambda act, done, of: None
        return
    if not render.console().is_terminal:
        yield _lines()
        return
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=render.console(), transient=True) as progress:
        tasks = {act: progress.add_task(text, total=None, start=False, note="") for act, text in _ACTS.items()}
        current = ""

        def tell(act: str, done: float, of: float) -> None:
            nonlocal current
            if act != current:
                if current:
                    progress.update(tasks[current], total=1, completed=1)
                    progress.stop_task(tasks[current])
                progress.start_task(tasks[act])
                current = act
            unit = f"{done:,.0f} documents" if act == "bootstrap" else f"{done:.0f} s" if act == "edits" else ""
            progress.update(tasks[act], completed=done, total=of or None, note=unit)

        yield tell


def _lines() -> Tell:
    said: set[str] = set()

    def tell(act: str, done: float, of: float) -> None:
        if act not in said:
            said.add(act)
            render.print_line(f"{_ACTS[act]} ...")

    return tell
