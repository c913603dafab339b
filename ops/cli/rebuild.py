"""`adsindex rebuild`: throw away what a data folder holds, to make it again from its sources."""

import shutil
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ops.audit import FILE as AUDIT_FILE
from ops.cli import render
from ops.cli.acts import record
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.liveness import Liveness, opener
from ops.engine.pauses import FOLDER as PAUSED_FOLDER
from ops.installation import FILE
from ops.opened import FLOWS_FILE, LOCK_FILE
from ops.readers import stands
from ops.settings import SETTINGS_FILE
from proto.errors import SettingsError

KEPT = (FILE, FLOWS_FILE, SETTINGS_FILE, AUDIT_FILE, PAUSED_FOLDER)
"""What people wrote stays: sources and handlers, the flows file, settings, what they paused; and what they did."""


def rebuild(
    *,
    data: Data = DEFAULT_DATA,
    yes: Annotated[bool, Parameter(negative=(), show_default=False, help="Do it, without asking again.")] = False,
    json: Json = False,
) -> int:
    """Throw away rows, documents and history of a data folder; the next `run` makes them again from the sources.

    The way out of a newer format and of damaged files. The databases are not touched.

    For example:

        adsindex rebuild --data shop-data --yes && adsindex run --data shop-data
    """
    if not (data / FILE).exists():
        raise SettingsError(f"{data} is not a data folder that `adsindex run` has made: nothing was removed")
    liveness = Liveness(data)
    others = liveness.others()
    liveness.close()
    busy = [f"{process.role} ({process.pid})" for process in others]
    busy += [f"reader {stand.name}" for stand in stands(data)]
    if not busy and (pid := opener(data / LOCK_FILE)) is not None:  # it would read the file that is gone, for ever
        busy = [f"process {pid}, which has it open"]
    if busy:
        running = ", ".join(busy)
        raise SettingsError(f"stop what runs on {data} first: {running}")
    if not yes:
        raise SettingsError(f"this removes everything indexed in {data}; add --yes to do it")
    removed = [path for path in data.iterdir() if path.name not in KEPT]
    for path in removed:
        _remove(path)
    record(data, "rebuild", "threw away rows, documents and history")
    if json:
        render.print_json({"data": str(data), "removed": sorted(path.name for path in removed)})
    else:
        render.print_line(f"{data} is empty; adsindex run --data {data} builds it again")
    return OK


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
