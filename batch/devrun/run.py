"""A dry run from beginning to end: both versions build the sample, batch by batch; what they made is compared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch.devrun.comparison import Comparison, NameOf
from batch.devrun.messages import Batch, Built, Trouble
from batch.devrun.side import Side

BATCH_DOCUMENTS = 50
AGAIN_DOCUMENTS = 25
NOT_TRIED = "NotTried"
"""Kind of the trouble of documents that were not tried any more, because too many before them were lost."""

Stored = Callable[[str, Sequence[bytes]], Sequence[Mapping[str, Any] | None]]
"""(document type, keys) -> stored fields of each."""


@dataclass(frozen=True, slots=True)
class Sample:
    """documents: type -> keys; rows: table -> keys of rows whose handlers no document leads to."""

    documents: Mapping[str, Sequence[bytes]]
    rows: Mapping[str, Sequence[bytes]]

    def __len__(self) -> int:
        return sum(map(len, self.documents.values()))


def compare(
    running: Side, new: Side, sample: Sample, stored: Stored, name_of: NameOf, tell: Callable[[int], None]
) -> tuple[Comparison, str]:
    """The comparison, and why it ended early ("" when it did not). tell: how many documents are done.

    The two take turns, so that a busy machine slows both."""
    comparison = Comparison(running.facts, new.facts, name_of)
    done, stopped = 0, ""
    for table, keys in sample.rows.items():
        comparison.add_calls(running.call(table, keys), new.call(table, keys))
    for document_type, keys in sample.documents.items():
        first: list[Built] = []
        for part in _parts(keys):
            before, after = _built(running, document_type, part), _built(new, document_type, part)
            comparison.add(before, after)
            for built, found in zip(before.documents, stored(document_type, part), strict=True):
                if found is not None and built.exists and _has(running, document_type):
                    comparison.stored(built, found)
            first += after.documents[: AGAIN_DOCUMENTS - len(first)]
            done += len(part)
            tell(done)
            stopped = stopped or _stopped(before, "running") or _stopped(after, "new")
            if stopped:
                return comparison, stopped
        if _has(new, document_type):
            keys_again = [built.key for built in first if built.lost is None]
            again = new.build(document_type, keys_again).documents
            comparison.again([built for built in first if built.lost is None], again)
    return comparison, stopped


def _built(side: Side, document_type: str, keys: Sequence[bytes]) -> Batch:
    if _has(side, document_type):
        return side.build(document_type, keys)
    return Batch([Built(document_type, key, exists=False) for key in keys], [])


def _has(side: Side, document_type: str) -> bool:
    return any(one.name == document_type for one in side.facts.types)


def _stopped(batch: Batch, version: str) -> str:
    """Why a version was given up."""
    lost: list[Trouble] = [built.lost for built in batch.documents if built.lost is not None]
    if any(trouble.kind == NOT_TRIED for trouble in lost):
        reason = next(trouble.message for trouble in lost if trouble.kind == NOT_TRIED)
        return f"the {version} code was given up: {reason}"
    return ""


def _parts(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (keys[at : at + BATCH_DOCUMENTS] for at in range(0, len(keys), BATCH_DOCUMENTS))
