"""Omid's own client beside ours: it declares dead what no oracle will decide any more (F:IT), in the commit table.

It is a Java program that reads our tables (docs/omid.md), and follows our epochs; what it commits, after a checkpoint
perhaps, has versions a little above its id. And, as Omid's oracle has it, a
commit may land after somebody has declared its transaction dead: then the mark wins, for every reader (omid.md, 6.5
and 7).
"""

from repo.api import Cell, Version
from repo.hbase.cell_ids import cell_id
from repo.hbase.cells import Row
from repo.hbase.commit_table import COMMIT, INVALID, decode_commit, encode_commit, row_of
from repo.hbase.names import DELETED, column_of
from repo.hbase.shadow_cells import decode_shadow, shadow_column
from repo.oracle.port import TIMESTAMP_STEP, CommitRequest
from tests.simulation.actors.client import GROUP, OTHER_GROUP, TABLE, Client, key_of
from tests.simulation.checkers.history import Attempt, Read
from tests.simulation.product import NAMES

MARK = b"\0\0\0\1"
KEYS = [key_of("omid", number) for number in range(2)]
LIVING = key_of("omid", "living")
CHECKPOINTS = (0, 1, TIMESTAMP_STEP - 1)
"""How far the versions of a transaction are above its id."""
DATA = NAMES.data(TABLE)
WHILE_MS = 100.0


class Omid:
    """What it reads is judged as any read is. Of what it writes to KEYS nothing is ever to be seen: all of it was dead
    before it was committed."""

    def prepare(self, client: Client) -> None:
        """So that there is something below the dead versions."""
        client.transact(lambda snapshot, transaction: [transaction.write(TABLE, key, GROUP, b"alive") for key in KEYS])

    def act(self, client: Client) -> None:
        if client.random.random() < 0.3:
            client.random.choice((self._commit_what_is_dead, self._commit, self._delete))(client)
            return
        for _ in range(client.random.randint(2, 8)):
            self._read(client)

    def finish(self, client: Client) -> None:
        self._look(client)

    def _look(self, client: Client) -> None:
        """With our own reader."""
        client.look(lambda snapshot, transaction: snapshot.read(TABLE, GROUP, [*KEYS, LIVING]))

    def _read(self, client: Client) -> None:
        """One group of all rows, each from the newest version below the start timestamp down to what its snapshot
        sees."""
        (begun,) = client.oracle.begin(1, client.repo.known)
        epoch, snapshot = client.oracle.published_epoch(), begun.snapshot
        group = client.random.choice((GROUP, OTHER_GROUP))
        column = column_of(group)
        columns = (column, shadow_column(column), DELETED, shadow_column(DELETED))
        found: dict[bytes, Version | None] = {}
        for key, row in client.cells.scan(DATA, b"", None, columns, begun.id, 1000):
            id, found[key] = self._newest(client, key, column, row, snapshot, epoch)
            _, mark = self._newest(client, key, DELETED, row, snapshot, epoch)
            if mark is not None and found[key] is not None and id <= mark.commit_timestamp:
                found[key] = mark
        with client.repo.snapshot_at(snapshot):  # not too old: Omid's client is not told
            reads = [Read("omid", snapshot, Cell(TABLE, key, group), version) for key, version in found.items()]
        client.repo.history.reads += reads

    def _newest(
        self, client: Client, key: bytes, column: bytes, row: Row, snapshot: int, epoch: int
    ) -> tuple[int, Version | None]:
        """That is visible, and its version."""
        while column in row:
            id = row[column].timestamp
            if (version := self._visible(client, key, column, row, snapshot, epoch)) is not None:
                return id, version
            row = client.cells.get(DATA, [key], (column, shadow_column(column)), id).get(key, {})
        return 0, None

    def _visible(
        self, client: Client, key: bytes, column: bytes, row: Row, snapshot: int, epoch: int
    ) -> Version | None:
        value = row[column].value
        commit = self._committed(client, key, column, row, epoch)
        return Version(commit, value or None) if commit is not None and commit <= snapshot else None

    def _committed(self, client: Client, key: bytes, column: bytes, row: Row, epoch: int) -> int | None:
        """Omid's ladder for one version: shadow cell, commit table, shadow cell; and, if the version is older than the
        oracle's epoch, it is declared dead, unless it was committed meanwhile."""
        version, shadow = row[column].timestamp, row.get(shadow_column(column))
        if shadow is not None and shadow.timestamp == version:
            return decode_shadow(shadow.value)
        commit, id = self._told(client, key, column, version), version - version % TIMESTAMP_STEP
        if commit is not None or id >= epoch or client.cells.put_if_absent(
            NAMES.commit_table, row_of(id), COMMIT, id, {INVALID: MARK}
        ):  # fmt: skip
            return commit
        return self._told(client, key, column, version)

    def _told(self, client: Client, key: bytes, column: bytes, version: int) -> int | None:
        """By the commit table, or by the shadow cell that has come meanwhile."""
        id = version - version % TIMESTAMP_STEP
        cells = client.cells.get(NAMES.commit_table, [row_of(id)], (COMMIT, INVALID)).get(row_of(id), {})
        if COMMIT in cells and INVALID not in cells:
            return decode_commit(id, cells[COMMIT].value)
        shadow = shadow_column(column)
        row = client.cells.get(DATA, [key], (shadow,), version + 1).get(key, {})
        return decode_shadow(row[shadow].value) if shadow in row and row[shadow].timestamp == version else None

    def _commit(self, client: Client) -> None:
        """What was written after a checkpoint; its shadow cells are lost."""
        (begun,) = client.oracle.begin(1, client.repo.known)
        id, column, value = begun.id, column_of(GROUP), client.tag()
        attempt = Attempt("omid", begun.snapshot, {Cell(TABLE, LIVING, GROUP): value}, ids={id})
        client.cells.put_of_another(DATA, id + client.random.choice(CHECKPOINTS), {LIVING: {column: value}})
        client.repo.history.attempts.append(attempt)
        client.oracle.commit([CommitRequest(id, begun.snapshot, (_living_cell(),))])

    def _delete(self, client: Client) -> None:
        """The family of a row, by a mark; its shadow cell is lost."""
        (begun,) = client.oracle.begin(1, client.repo.known)
        attempt = Attempt("omid", begun.snapshot, {Cell(TABLE, LIVING, GROUP): None}, ids={begun.id})
        client.repo.history.attempts.append(attempt)
        client.cells.put_mark(DATA, begun.id, LIVING, "d")
        client.oracle.commit([CommitRequest(begun.id, begun.snapshot, (_living_cell(),))])

    def _commit_what_is_dead(self, client: Client) -> None:
        """An oracle of Omid's was stopped just before it put F:C; meanwhile its transaction was declared dead."""
        (begun,) = client.oracle.begin(1, client.repo.known)
        id, key, began_ms = begun.id, client.random.choice(KEYS), client.scheduler.now_ms
        client.cells.put_of_another(DATA, id, {key: {column_of(GROUP): b"dead"}})
        client.rest()
        dead = client.cells.put_if_absent(NAMES.commit_table, row_of(id), COMMIT, id, {INVALID: MARK})
        if dead and client.scheduler.now_ms < began_ms + WHILE_MS:  # later it may be swept
            client.cells.lands_later(NAMES.commit_table, id, {row_of(id): {COMMIT: encode_commit(id, id + 1)}})


def _living_cell() -> int:
    family, _, qualifier = column_of(GROUP).partition(b":")
    return cell_id(DATA.encode(), LIVING, family, qualifier)
