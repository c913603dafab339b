"""`adsindex bench`: job J4 on this machine."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from ops.bench.job import Figures, run_job
from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.demo.scale import SCALES
from ops.settings import load_settings

Job = Literal["j4", "tiny", "small", "1m"]
_NAMES = {
    "load_docs_per_s": "a  cold load, documents a second",
    "trickle_ms": "b  one edit -> servable, ms",
    "burst_docs_per_s": "c  burst of 20,000, documents a second",
    "fanout_ms": "d  fan-out, documents: ms",
    "rss_mb": "   resident memory at most, MB",
}


def bench(
    *,
    job: Annotated[Job, Parameter(help="j4: 50,000 ads.")] = "j4",
    phases: Annotated[str, Parameter(help="a cold load, b trickle, c burst, d fan-out.")] = "a,b,c,d",
    seconds: Annotated[float, Parameter(help="How long the trickle is.")] = 300.0,
    rate: Annotated[float, Parameter(help="Edits a second in the trickle.")] = 100.0,
    seed: Annotated[int, Parameter(help="The same seed makes the same database and edits.")] = 1,
    json: Annotated[
        Path | None, Parameter(name="--json", allow_leading_hyphen=True, help="Write JSON to this file; - prints it.")
    ] = None,
) -> int:
    """Measure load, trickle, burst and fan-out on the sample application, durable, all roles in one process.

    For example:

        adsindex bench --job j4 --phases a,b,c,d --seconds 60 --json figures.json
        adsindex bench --job small --phases a,c --json -
    """
    with tempfile.TemporaryDirectory(prefix="adsindex-bench-") as name:
        folder = Path(name).resolve()
        settings = load_settings(folder, os.environ).settings
        figures = run_job(folder, SCALES[job], settings, phases.replace(",", ""), rate, seconds, seed, _tell)
    if str(json) == "-":
        render.print_json(figures)
    else:
        _print(figures)
    if json is not None and str(json) != "-":
        json.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    return WRONG if figures.mismatches or figures.lost or figures.torn else OK


def _tell(text: str) -> None:
    render.note(f"phase {text} ...")


def _print(figures: Figures) -> None:
    render.print_title(f"Job {figures.job}: {figures.documents:,} documents", figures.machine)
    rows = []
    for field, label in _NAMES.items():
        value = getattr(figures, field)
        if value is not None:
            rows.append([label, _shown(value)])
    rows.append(["   wrong, lost, torn", f"{figures.mismatches}, {figures.lost}, {figures.torn}"])
    render.print_table(["", ""], rows, header=False)


def _shown(value: float | dict[str, float]) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one:,.1f}" for name, one in value.items())
    return f"{value:,.0f}"
