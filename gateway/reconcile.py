"""What a look at the schema means for the capture: which tables are parked, which come back, which are read again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.capture.port import Shape
from gateway.progress import Progress, TableProgress, Task
from proto.flows.model import ReadColumns


@dataclass(frozen=True, slots=True)
class Findings:
    """What must be told: table -> reason, and tables that are back."""

    parked: dict[str, str] = field(default_factory=dict)
    unparked: list[str] = field(default_factory=list)


def reconcile(progress: Progress, shape: Shape, wanted: Mapping[str, ReadColumns]) -> Findings:
    """Brings `progress` in line with the schema and the flows file; queues what must be read (again)."""
    findings = Findings()
    again = _unexplained(progress, shape)
    for name in set(progress.tables) - set(wanted):
        del progress.tables[name]
        _forget(progress, name)
    for name, columns in wanted.items():
        known = progress.tables.get(name)
        if known is None:
            known = progress.tables[name] = TableProgress(columns)
        elif name not in shape.missing:
            changed = known.signature != shape.signatures[name] or not set(columns) <= set(known.columns)
            if known.parked:
                findings.unparked.append(name)
            if known.parked or changed or again:
                _queue(progress, Task(name, first=not known.bootstrapped and not known.late))
            known.parked, known.columns, known.signature = "", columns, shape.signatures[name]
            continue
        if name in shape.missing:
            if known.parked != shape.missing[name]:
                findings.parked[name] = known.parked = shape.missing[name]
                known.late = not known.bootstrapped
            _forget(progress, name)
        else:
            known.signature = shape.signatures[name]
            _queue(progress, Task(name, first=True, gone=False))
    progress.schema_version, progress.digest = shape.version, shape.digest
    return findings


def _unexplained(progress: Progress, shape: Shape) -> bool:
    """The schema was changed and looks as before: a column was dropped and added again past us, a VACUUM."""
    if progress.schema_version in (-1, shape.version) or progress.digest != shape.digest:
        return False
    return shape.signatures == {name: table.signature for name, table in progress.tables.items() if not table.parked}


def _queue(progress: Progress, task: Task) -> None:
    """In place of what is queued for this table already; first bootstraps go ahead of comparisons."""
    _forget(progress, task.table)
    progress.tasks.append(task)
    progress.tasks.sort(key=lambda queued: not queued.first)


def _forget(progress: Progress, name: str) -> None:
    progress.tasks = [task for task in progress.tasks if task.table != name]
    progress.finished = [finished for finished in progress.finished if finished != name]
