"""What two descriptions of an application have in common, and what they have not."""

from collections.abc import Iterator
from typing import NamedTuple

from argus.describe import READS, Description, signature


class Change(NamedTuple):
    """One item of one part. before None: it is new; after None: it is gone."""

    part: str
    item: str
    before: str | None
    after: str | None


def difference(before: Description, after: Description) -> list[Change]:
    """All that people would call a change: parts in the order of `after`, then those that are gone."""
    parts = [*after, *(part for part in before if part not in after)]
    return [change for part in parts for change in _of_part(part, before.get(part, {}), after.get(part, {}))]


def changed_parts(before: Description, after: Description, kind: str) -> list[str]:
    """Names of the parts of a kind ("document", "handler") that are new, or mean something else than before, also by
    what they depend on."""
    return [
        part.removeprefix(f"{kind} ")
        for part, items in after.items()
        if part.startswith(f"{kind} ") and (part not in before or signature(before[part]) != signature(items))
    ]


def _of_part(part: str, before: dict[str, str], after: dict[str, str]) -> Iterator[Change]:
    for item in [*after, *(item for item in before if item not in after)]:
        old, new = before.get(item), after.get(item)
        if old != new and not item.startswith(READS):
            yield Change(part, item, old, new)
