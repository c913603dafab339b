"""How far sources are applied, and what is known of their tables, put together from the two cells of each.

A source has dozens of tables with their columns, some kilobytes; which lane was applied up to where is a few bytes, and
moves with each edit. In one cell they cost an edit a page of its own, and reading and writing all of it.
"""

from collections.abc import Sequence

from repo.api import Reads
from repo.system import APPLIED, SOURCES, STATE, SourceState, decode_applied, decode_source_state, source_key


def read_source_states(snapshot: Reads, sources: Sequence[str]) -> list[SourceState | None]:
    """None for a source of which nothing was ever applied."""
    keys = [source_key(source) for source in sources]
    found: list[SourceState | None] = []
    for whole, moved in zip(snapshot.read(SOURCES, STATE, keys), snapshot.read(SOURCES, APPLIED, keys), strict=True):
        state = None if whole is None or whole.value is None else decode_source_state(whole.value)
        if state is not None and moved is not None and moved.value is not None:
            state.applied = decode_applied(moved.value).applied
        found.append(state)
    return found
