"""Of each cell the newest version committed at or below the watermark stays. Off: the newest that is there."""

import pytest

from repo.hbase import deletions


def plant(patch: pytest.MonkeyPatch) -> None:
    chains = deletions.chains

    def eager(cells, commit_table, layout, rows, watermark):  # type: ignore[no-untyped-def]
        found = chains(cells, commit_table, layout, rows, watermark)
        for row, chain in found.items():
            if chain.kept and chain.uncommitted:
                found[row] = chain._replace(kept=chain.kept._replace(id=chain.uncommitted[0]))
        return found

    patch.setattr(deletions, "chains", eager)
