"""What signals say in a dry run: what the stored documents were last built with; nobody is asked."""

from collections.abc import Sequence
from typing import Any

from argus.fetch import Fetched
from argus.plan import SignalKey
from argus.signals.answers import shape_of
from proto.record import BuildRecord, SignalReading, decode_build
from repo.api import Reads
from repo.system import BUILD, document_table


def add_signals(
    reads: Reads, document_type: str, signals: Sequence[SignalKey], keys: Sequence[bytes], fetched: Fetched
) -> None:
    """Adds what each signal said. Where the document was not built with it, or with another key, nothing is known."""
    if not signals:
        return
    versions = reads.read(document_table(document_type), BUILD, keys)
    stored = [decode_build(one.value) if one is not None and one.value is not None else None for one in versions]
    for known in signals:
        shape = shape_of(known.signal)
        nulls = (None,) * len(known.signal.fields)
        rows = fetched.slot(known.slot.number)
        said = [
            _reading(build, known.signal.name, row[known.at], shape) for build, row in zip(stored, rows, strict=True)
        ]
        fetched.signals.append([nulls if one is None else one for one in said])


def _reading(build: BuildRecord | None, name: str, key: Any, shape: int) -> tuple[Any, ...] | None:
    readings: Sequence[SignalReading] = build.signals or () if build is not None else ()
    found = next((one for one in readings if one.signal == name and one.key == key and one.shape == shape), None)
    return found.values if found is not None and found.state in ("fresh", "last_good") else None
