"""`adsindex publish`: hold what is published, and let it go on."""

from cyclopts import App

from ops.cli.acts import Reason, record, report, user
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.pauses import PUBLISHING, Pause, Pauses
from ops.opened import opened
from ops.times import clock_time, iso

publish = App(name="publish", help="What readers get to see: hold it, let it go on.", help_format="plaintext")


@publish.command
def pause(*, reason: Reason = "", data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Publish nothing more until `resume`. Documents are still built, and what is built is kept. Safe to repeat.

    It holds over restarts. Readers keep what they have.

    For example:

        adsindex publish pause --reason "bad prices since 02:10"
    """
    with opened(data) as folder:
        wanted = Pause(stage=PUBLISHING, since_ms=folder.clock.now_ms(), who=user(), reason=reason)
        held = Pauses(folder.path).pause(wanted)
    if held is wanted:
        what = "publishing is paused: documents are built and kept; go on with: adsindex publish resume"
        record(data, "publish pause", what.partition(":")[0], reason)
    else:
        what = f"publishing was paused already{describe(held)}; nothing was changed"
    report(what, json, paused=True, since=iso(held.since_ms), by=held.who, reason=held.reason)
    return OK


@publish.command
def resume(*, reason: Reason = "", data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Publish what has been built meanwhile: of each document the newest version, and go on. Safe to repeat.

    For example:

        adsindex publish resume
    """
    with opened(data) as folder:
        ended = Pauses(folder.path).resume(Pause(stage=PUBLISHING))
    what = f"publishing goes on; it was paused{describe(ended)}" if ended else "publishing was not paused"
    if ended is not None:
        record(data, "publish resume", what, reason)
    report(what, json, paused=False, resumed=ended is not None)
    return OK


def describe(pause: Pause) -> str:
    """` since 2026-11-23 02:10:07.120 UTC by ana (bad prices)`; what is not known is left out."""
    since = f" since {clock_time(pause.since_ms)} UTC" if pause.since_ms else ""
    return since + (f" by {pause.who}" if pause.who else "") + (f" ({pause.reason})" if pause.reason else "")
