"""The roles that processes share out among them, and which of them somebody has."""

from collections.abc import Iterable

from ops.engine.liveness import LiveProcess

ROLES = ("gateway", "updater", "argus")
"""In the order of the way. The publisher runs with argus: it shares its durable commits."""
ORACLE = "oracle"
"""Of the distributed system; a process of its own."""


def roles_of(processes: Iterable[LiveProcess]) -> frozenset[str]:
    """All that these processes do; one may have several."""
    return frozenset(role for process in processes for role in process.role.split("+"))
