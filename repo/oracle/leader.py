"""Who leads among the oracles, as their clients learn it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, Self


class Leader(NamedTuple):
    """address: HOST:PORT. epoch: what its first timestamp was; it grows with each take-over.

    Published as `HOST:PORT#EPOCH`, as Omid publishes its own.
    """

    address: str
    epoch: int

    def encode(self) -> bytes:
        return f"{self.address}#{self.epoch}".encode()

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """None: somebody tries to take over, and has published nothing yet."""
        address, _, epoch = data.decode(errors="replace").rpartition("#")
        return cls(address, int(epoch)) if address and epoch.isdigit() else None


class Leaders(Protocol):
    """The newest leader that was published. Safe to use from several threads."""

    def current(self) -> Leader | None:
        """None: nobody is known to lead."""
        ...

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Calls it, from any thread, whenever `current` has changed; it must return at once."""
        ...
