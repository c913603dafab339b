"""F6, F11: only the oracle kills an undecided id. Off: who lost an answer believes what the commit table says now."""

from collections.abc import Iterable, Mapping

import pytest

from repo.hbase.commit_table import CommitTableReader
from repo.hbase.outcomes import Place, Settlement
from repo.oracle.port import Decision, Fate, Resolution
from tests.simulation.product import NAMES


def plant(patch: pytest.MonkeyPatch) -> None:
    def looked_up(self: Settlement, written: Mapping[int, Iterable[Place]]) -> dict[int, Decision]:
        found = CommitTableReader(self._cells, NAMES.commit_table).look_up(list(written))
        fates = {id: Resolution(Fate.COMMITTED if id in found else Fate.ABORTED, found.get(id, 0)) for id in written}
        return {id: self._decision(id, fates[id], written[id]) for id in written}

    patch.setattr(Settlement, "settle", looked_up)
