"""`adsindex bench`: job J4 on this machine."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from ops.bench.job import Options, run_job
from ops.cli import render
from ops.cli.bench_report import print_figures
from ops.cli.exit_codes import OK, USAGE, WRONG
from ops.demo.scale import SCALES
from ops.settings import load_settings

PHASES = "abcdefgh"


def bench(
    *,
    job: Annotated[
        Literal["j4", "application", "lean"],
        Parameter(
            help="j4: documents of 100 fields from four tables, one signal; application: the sample application, 134 "
            "fields from 16 tables, four signals; lean: what the peers of docs/bench.md do, too: plain fields of four "
            "tables, phases a, b, c."
        ),
    ] = "j4",
    phases: Annotated[
        str,
        Parameter(
            help="a cold load, b trickle, c burst, d fan-out, e delete and re-insert, f kill -9 of every role, g torn "
            "reads, h a refresh beside the trickle."
        ),
    ] = "a,b,c,d,e,f,g,h",
    scale: Annotated[
        Literal["tiny", "small", "10k", "j4", "1m"], Parameter(help="60, 2,000, 10,000, 50,000 or 1,000,000 ads.")
    ] = "j4",
    trickle_seconds: Annotated[float, Parameter(help="How long phase b is; 300 in a full run.")] = 15.0,
    rate: Annotated[float, Parameter(help="Edits a second in the trickles.")] = 100.0,
    seed: Annotated[int, Parameter(help="The same seed makes the same database and edits.")] = 1,
    folder: Annotated[
        Path | None, Parameter(help="Where database and data go, about 20 kB an ad; removed again.")
    ] = None,
    json: Annotated[
        Path | None, Parameter(name="--json", allow_leading_hyphen=True, help="Write JSON to this file; - prints it.")
    ] = None,
) -> int:
    """Measure job J4, durable, and check that what was served is right.

    Exit code 1 if a document is wrong, lost, torn or published twice.

    For example:

        adsindex bench --job j4 --phases a,b,c,d,e,f,g,h --trickle-seconds 300 --json figures.json
        adsindex bench --scale small --phases a,c --json -
        adsindex bench --scale 1m --phases a,b,c,d
    """
    wanted = phases.replace(",", "").replace(" ", "").lower()
    if unknown := set(wanted) - set(PHASES):
        render.note(f"adsindex: there is no phase {min(unknown)!r}; there are: {', '.join(PHASES)}")
        return USAGE
    if job == "lean":
        wanted = "".join(phase for phase in wanted if phase in "abc")
    with tempfile.TemporaryDirectory(prefix="adsindex-bench-", dir=folder) as name:
        place = Path(name).resolve()
        settings = load_settings(place, os.environ).settings
        options = Options(job, SCALES[scale], wanted, rate, trickle_seconds, seed)
        figures = run_job(place, options, settings, lambda text: render.note(f"{text} ..."))
    if str(json) == "-":
        render.print_json(figures)
    else:
        print_figures(figures)
    if json is not None and str(json) != "-":
        json.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    return OK if figures.good else WRONG
