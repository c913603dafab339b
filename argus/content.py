"""Encodes documents as DocumentRecord has them, without taking apart what many of them share.

The values of a branch's own fields are encoded once for as long as the branch is kept, so that a document costs what is
its own, and a join of bytes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from argus.branches import Branch
from argus.compile import Compiled
from argus.footprints import array_header
from argus.plan import OWN
from proto.record import encode

_TRUE, _FALSE, _NOTHING = encode(True), encode(False), encode(None)


class ContentEncoder:
    """Of one document type. schema_id: of Compiled.names."""

    def __init__(self, compiled: Compiled, schema_id: int) -> None:
        own = sum(1 for slot in compiled.plan.slots if slot.branch == OWN)
        self._shared = [(own + number, compute) for number, compute in sorted(compiled.of_branch.items())]
        self._compute = compiled.of_rest
        self._head = array_header(4) + encode(schema_id) + array_header(len(compiled.names))

    def encode(self, arguments: Sequence[Any], missing: list[str] | None, later: Sequence[Any] = ()) -> bytes:
        """arguments: Fetched.own, branches, signals, of one document; later: values of asynchronous fields. Raises what
        a field's function raises."""
        values, servable = self._compute(*arguments)
        shared = [arguments[place].content or _filled(arguments[place], compute) for place, compute in self._shared]
        own = _elements((*values, *later) if later else values)
        gaps = _NOTHING if missing is None else encode(missing)
        return b"".join((self._head, *shared, own, _TRUE if servable else _FALSE, gaps))


def _filled(branch: Branch, compute: Callable[[Branch], tuple[Any, ...]]) -> bytes:
    """What a document needs of a branch, encoded and kept. Never empty."""
    branch.content = content = _elements(compute(branch))
    return content


def _elements(values: Sequence[Any]) -> bytes:
    """Encoded, without the header of the array."""
    return encode(values)[1 if len(values) < 16 else 3 if len(values) < 65536 else 5 :]
