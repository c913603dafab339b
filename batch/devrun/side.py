"""The port to one version of the code, wherever it runs."""

from collections.abc import Sequence
from typing import Protocol

from batch.devrun.messages import Batch, Called, CodeFacts, Explained


class Side(Protocol):
    """One version of the code at work. Whatever an author's code does comes back as a value: an error ends its own
    field, a crash or an endless loop its own document (`Built.lost`)."""

    @property
    def facts(self) -> CodeFacts: ...

    def build(self, document_type: str, keys: Sequence[bytes]) -> Batch:
        """One Built for each key, in their order."""
        ...

    def call(self, table: str, keys: Sequence[bytes]) -> list[Called]:
        """Runs the handlers that observe a table for these of its rows."""
        ...

    def explain(self, document_type: str, key: bytes) -> Explained:
        """One document, with what its fields got."""
        ...
