"""The roles that processes share out among them, and which of them somebody has."""

from collections.abc import Collection, Iterable, Iterator

from argus.generations import load
from ops.engine.liveness import LiveProcess
from ops.engine.status import ProcessStatus
from ops.installation import load_installation
from ops.opened import DataFolder
from repo.api import Repo

ROLES = ("gateway", "updater", "argus")
"""In the order of the way. The publisher runs with argus: it shares its durable commits."""
ORACLE = "oracle"
"""Of the distributed system; a process of its own."""


def roles_of(processes: Iterable[LiveProcess]) -> frozenset[str]:
    """All that these processes do; one may have several."""
    return frozenset(role for process in processes for role in process.role.split("+"))


def at_work(repo: Repo, live: Collection[LiveProcess]) -> list[LiveProcess]:
    """Without those that stand by: their flows are not the current ones yet, and older processes still run."""
    state = load(repo)
    return [process for process in live if state is None or process.generation <= state.current.number]


def absences(
    folder: DataFolder, live: Collection[LiveProcess], statuses: Collection[ProcessStatus]
) -> Iterator[str]:  # fmt: skip
    """What nobody does though something runs, one sentence each: until somebody does, no edit is served.

    statuses: of those that have said what they do.
    """
    working = at_work(folder.repo, live)
    missing = [role for role in ROLES if role not in roles_of(working)]
    standing = roles_of(process for process in live if process not in working)
    absent = [role for role in missing if role not in standing]
    if live and absent:
        yield f"no {' and no '.join(absent)} runs: start it with `adsindex run --role {','.join(absent)}`"
    held = [role for role in missing if role in standing]
    if working and held:
        older = ", ".join(f"{process.role} ({process.pid})" for process in working)
        yield f"no {' and no '.join(held)} works: it stands by until the processes of older flows have ended: {older}"
    for name in _uncaptured(folder, working, statuses):
        yield f"source {name} is attached, and no process captures it: start the gateway again"


def _uncaptured(
    folder: DataFolder, working: Collection[LiveProcess], statuses: Collection[ProcessStatus]
) -> list[str]:  # fmt: skip
    """A process knows the sources that there were when it started."""
    gateways = {process.pid for process in working if "gateway" in roles_of([process])}
    told = [status for status in statuses if status.pid in gateways]
    if not gateways or len(told) < len(gateways):
        return []  # none, or one has just started and not said yet
    steps = {step.name for status in told for step in status.steps}
    return [name for name in load_installation(folder.path).sources if f"gateway {name}" not in steps]
