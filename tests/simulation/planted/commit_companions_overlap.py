"""Members with a companion in common don't share an id. Off: only conflict set and entries count."""

import pytest

from repo.api import Transaction
from repo.hbase.catalog import Catalog
from repo.hbase.prepared import Prepared, id_of


def plant(patch: pytest.MonkeyPatch) -> None:
    made = Prepared.__init__

    def careless(self: Prepared, catalog: Catalog, transaction: Transaction) -> None:
        made(self, catalog, transaction)
        cells = transaction.companions
        self.touched -= {id_of(catalog.layout(cell.table, cell.group), cell.key) for cell in cells}

    patch.setattr(Prepared, "__init__", careless)
