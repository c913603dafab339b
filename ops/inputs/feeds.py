"""Which table can be fed, and among whose rows."""

from collections.abc import Iterable

from proto.errors import SettingsError
from proto.flows.model import Flows, Table
from proto.flows.paths import nearest


def feed_table(flows: Flows, name: str) -> Table:
    """Raises SettingsError when rows can't be fed to it."""
    table = flows.tables.get(name)
    feeds = [one.name for one in flows.tables.values() if one.feed]
    if table is None:
        raise SettingsError(f"there is no table {name!r}; {nearest(name, feeds or list(flows.tables))}")
    if not table.feed:
        writer = "its database" if table.source_table else "a handler"
        others = f"; tables that are fed: {', '.join(feeds)}" if feeds else ""
        raise SettingsError(
            f"table {name!r} is written by {writer}, and has no other writer{others}. Declare a table of its own for "
            "these rows: feed = true in place of `source` (see the README: Signals, feeds, short cuts)"
        )
    return table


def feed_source(table: Table, sources: Iterable[str], wanted: str) -> str:
    """Among whose rows the fed ones are: they meet the rows of no other source. Raises SettingsError."""
    possible = [name for name in sources if not table.sources or name in table.sources]
    if wanted and wanted not in possible:
        raise SettingsError(f"table {table.name!r} has no rows of source {wanted!r}; {nearest(wanted, possible)}")
    if not wanted and len(possible) != 1:
        many = f"there are several sources; say which: --source {possible[0]}" if possible else "no source has run yet"
        raise SettingsError(f"table {table.name!r}: {many}")
    return wanted or possible[0]
