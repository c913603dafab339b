"""N1: so is what is published. Off: a publisher reads its documents at any snapshot, as ours once did; it may hold the
ones before, or none."""

from typing import Any

import pytest

from argus.publish import Publisher


def plant(patch: pytest.MonkeyPatch) -> None:
    documents = Publisher._documents

    def anyhow(self: Publisher, document_type: str, wanted: Any, at_least: int) -> Any:
        return documents(self, document_type, wanted, 0)

    patch.setattr(Publisher, "_documents", anyhow)
