"""What stands between the write-ahead log and Argus: a message counts once its id is committed, is dropped once it
never will be, and waits otherwise (transactions.md, Notifications). The smallest that does it."""

from collections.abc import Mapping, Sequence

from repo.api import OutcomeKind, TableSpec
from repo.hbase.commit_table import CommitTableReader
from repo.hbase.names import column_of
from repo.hbase.outcomes import Place, Settlement
from repo.oracle.port import Fate, Resolution
from tests.simulation.actors.client import Client
from tests.simulation.checkers.history import Told
from tests.simulation.product import NAMES
from tests.simulation.topics import Shipped

NEVER = 0
TABLE_FIRST = 0.8
"""How often the commit table is looked into before the oracle is asked."""


class Dispatcher:
    """tables: whose notifications there are."""

    def __init__(self, tables: Sequence[TableSpec]) -> None:
        self._columns = {NAMES.data(spec.name): [column_of(group) for group in spec.groups] for spec in tables}

    def decided(self, client: Client, messages: Sequence[Shipped]) -> dict[int, int]:
        """By id the commit timestamp, or NEVER. Those that are undecided are left out. Sometimes it looks into the
        commit table itself: there a commit may stand before its flush has ended (N1)."""
        ids = sorted({message.id for message in messages})
        if client.random.random() < TABLE_FIRST:
            found = CommitTableReader(client.cells, NAMES.commit_table).look_up(ids)
            if found:
                return found
        found = {}
        resolved = dict(zip(ids, client.oracle.resolve(ids), strict=True))
        client.repo.history.told += [Told(client.process.name, id, one) for id, one in resolved.items()]
        swept = [id for id, one in resolved.items() if one.fate is Fate.SWEPT]
        found.update(_final(resolved))
        found.update(self._swept(client, [message for message in messages if message.id in swept]))
        return found

    def _swept(self, client: Client, messages: Sequence[Shipped]) -> dict[int, int]:
        """Below the sweep horizon the shadow cells of the row decide (F8). Where nothing is left, something newer has
        been committed since, so what the message asks for is done as of now."""
        places = {
            message.id: [Place(message.table, message.row, column) for column in self._columns[message.table]]
            for message in messages
        }
        if not places:
            return {}
        found: dict[int, int] = {}
        for id, decision in Settlement(client.cells, client.oracle).settle(places).items():
            if decision.kind is OutcomeKind.COMMITTED:
                found[id] = decision.timestamp
            elif decision.kind is OutcomeKind.TOO_OLD:
                found[id] = NEVER
            else:
                found[id] = client.repo.last_timestamp()
        return found


def _final(resolved: Mapping[int, Resolution]) -> dict[int, int]:
    committed = {id: one.commit_timestamp for id, one in resolved.items() if one.fate is Fate.COMMITTED}
    return {**committed, **{id: NEVER for id, one in resolved.items() if one.fate is Fate.ABORTED}}
