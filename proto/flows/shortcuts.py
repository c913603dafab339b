"""The short cuts of a flows file: from their spelling to the model, everything checked."""

import re
from collections.abc import Collection, Mapping

from proto.events import OWN_TOPICS
from proto.flows.locator import KeyPath
from proto.flows.model import Flows, Shortcut, Table
from proto.flows.paths import nearest
from proto.flows.problems import Problems
from proto.flows.spelling import ShortcutSpelling

_TOPIC = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


def build_shortcuts(spelled: Mapping[str, ShortcutSpelling], flows: Flows, problems: Problems) -> dict[str, Shortcut]:
    """flows: with its tables. What is wrong is noted."""
    found: dict[str, Shortcut] = {}
    for name, one in spelled.items():
        path = ("shortcuts", name)
        topic = one.topic or name
        _check_topic(topic, name, found.values(), (*path, "topic"), problems)
        table = flows.tables.get(one.table)
        if table is None:
            hint = nearest(one.table, list(flows.tables))
            problems.add((*path, "table"), f"short cut {name!r}: there is no table {one.table!r}", hint)
        else:
            _check_columns(name, one.columns, table, path, problems)
        found[name] = Shortcut(name, one.table, tuple(one.columns), topic, problems.at(path))
    return found


def _check_topic(topic: str, name: str, others: Collection[Shortcut], path: KeyPath, problems: Problems) -> None:
    what = f"short cut {name!r}: topic {topic!r}"
    if not _TOPIC.fullmatch(topic):
        problems.add(path, f"{what} can't be named so", "use letters, digits, dots, dashes and underscores")
    elif topic.partition(".")[0] in OWN_TOPICS:
        problems.add(path, f"{what} is one of adsindex's own", f'choose another: topic = "{name}-changes"')
    for other in others:
        if other.topic == topic:
            problems.add(path, f"{what} belongs to short cut {other.name!r}", "give each short cut a topic of its own")


def _check_columns(name: str, columns: list[str], table: Table, path: KeyPath, problems: Problems) -> None:
    if not table.source_table:
        hint = "name a table with `source`; what handlers write comes with the documents"
        problems.add((*path, "table"), f"short cut {name!r}: table {table.name!r} is not read from a source", hint)
        return
    captured = [column.name for column in table.columns.values() if not column.writer]
    if not columns:
        problems.add((*path, "columns"), f"short cut {name!r} has no columns", f'add columns = ["{captured[-1]}"]')
    for column in columns:
        if column not in table.columns:
            what = f"short cut {name!r}: table {table.name!r} has no column {column!r}"
            problems.add((*path, "columns"), what, nearest(column, captured))
        elif column not in captured:
            what = f"short cut {name!r}: column {column!r} is written by {table.columns[column].writer}"
            problems.add((*path, "columns"), what, f"only columns of the source can go: {', '.join(captured)}")
    if len(set(columns)) < len(columns):
        problems.add((*path, "columns"), f"short cut {name!r} names a column twice", "name each once")
