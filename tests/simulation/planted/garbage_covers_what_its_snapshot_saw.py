"""What is committed again is what the transaction's snapshot sees. Off: the snapshot is taken when it was read."""

from collections.abc import Sequence

import pytest

from repo.api import Transaction
from repo.hbase.catalog import Catalog
from repo.hbase.cover import Cover
from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    run = Cover.run

    def late(self: Cover, table: str, rows: Sequence[bytes]) -> None:
        def prepared(catalog: Catalog, transaction: Transaction) -> Prepared:
            transaction.snapshot_timestamp = self._ids.snapshot()
            return Prepared(catalog, transaction)

        with pytest.MonkeyPatch.context() as during:
            during.setattr("repo.hbase.cover.Prepared", prepared)
            run(self, table, rows)

    patch.setattr(Cover, "run", late)
