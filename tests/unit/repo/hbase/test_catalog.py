"""Tables and groups that the Repo knows, while other threads get to know more."""

from repo.api import Keep, TableSpec
from tests.support.engines import DOCUMENTS
from tests.support.watched_hbase import World


def test_a_table_may_be_declared_while_another_thread_looks_for_groups() -> None:
    repo = World().client()
    new = [TableSpec("new", {"a": Keep.VERSIONED})]

    class Overtaken(str):
        """Compared by the one thread; meanwhile the other one declares."""

        def __eq__(self, other: object) -> bool:
            if new:
                repo.declare([new.pop()])
            return super().__eq__(other)

        __hash__ = str.__hash__

    with repo.snapshot() as snapshot:
        assert snapshot.partitions(Overtaken(DOCUMENTS), 2) == [(b"", None)]
    assert new == []
