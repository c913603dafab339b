"""`adsindex tail documents`: the documents topic as it is published."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

from cyclopts import App, Parameter

from ops.addresses import shown_address, shown_id, source_of
from ops.cli import render
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.document_view import fields_of
from ops.engine.doorbell import Doorbell
from ops.opened import DataFolder, opened
from ops.times import clock_time_of, duration
from proto.events import DOCUMENTS, DeltaDocument, decode_delta
from proto.lane import Lane
from proto.record import decode_document

_LIMIT = 1000
_WAIT_MS = 1000.0  # a missed ring costs so much

tail = App(name="tail", help="Follow what is published.", help_format="plaintext")


@tail.command
def documents(
    *,
    from_: Annotated[
        int | None,
        Parameter(name="--from", help="Begin at this sequence, as far back as it is kept. Without: only what is new."),
    ] = None,
    follow: Annotated[
        bool, Parameter(help="Go on when all is read; without, everything that is kept is read once.")
    ] = True,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Print documents as they are published, one a line.

    For example:

        adsindex tail documents --json
        adsindex tail documents --from 1763843643120000000 --no-follow
    """
    with opened(data) as folder, closing(Doorbell(data)) as doorbell:
        sources = folder.sources()
        offsets = {} if from_ is not None or not follow else _ends(folder)
        while True:
            count = 0
            for delta in _published(folder, offsets):
                count += 1
                if delta.kind == "document" and delta.sequence >= (from_ or 0):
                    _print(folder, delta, sources, json)
            if not count and not follow:
                return OK
            if not count:
                doorbell.wait(_WAIT_MS)


def _ends(folder: DataFolder) -> dict[int, int]:
    return {at: folder.log.bounds(DOCUMENTS, at)[1] for at in range(folder.log.partitions(DOCUMENTS))}


def _published(folder: DataFolder, offsets: dict[int, int]) -> Iterator[DeltaDocument]:
    """What is there beyond `offsets`, a page of each partition; moves them."""
    for partition in range(folder.log.partitions(DOCUMENTS)):
        messages = folder.log.read(DOCUMENTS, partition, offsets.get(partition, 0), _LIMIT)
        for message in messages:
            yield decode_delta(message.value)
        if messages:
            offsets[partition] = messages[-1].offset + 1


def _print(folder: DataFolder, delta: DeltaDocument, sources: list[str], as_json: bool) -> None:
    record = decode_document(delta.content)
    fields = fields_of(record, folder.schemas)
    deleted = record.values is None
    latency_ms = delta.publish_ms - delta.commit_ms if delta.commit_ms else None
    if as_json:
        line = {
            "type": delta.type,
            "id": shown_id(delta.key),
            "source": source_of(delta.key),
            "sequence": delta.sequence,
            "servable": record.servable,
            "deleted": deleted,
            "fields": None if deleted else fields,
            "missing": list(record.missing or ()),
            "lane": Lane(delta.lane).name.lower(),
            "latency_ms": None if latency_ms is None else round(latency_ms, 3),
        }
        render.print_json(line)
        return
    state = "deleted" if deleted else "servable" if record.servable else "not servable"
    took = "" if latency_ms is None else f"  {duration(latency_ms)} after the commit"
    text = " ".join(f"{name}={render.shown(value)}" for name, value in fields.items())
    render.print_line(
        f"{clock_time_of(delta.sequence)}  {shown_address(delta.type, delta.key, sources)}  {state}{took}  {text}"
    )
