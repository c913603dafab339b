"""`adsindex tail`: the documents topic, a short cut's, or any other, as they are written."""

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
from ops.topic_view import View, message_view
from proto.errors import SettingsError
from proto.events import DOCUMENTS, DeltaDocument, decode_delta
from proto.flows.paths import nearest
from proto.lane import Lane
from proto.ports.log import Message
from proto.record import decode_document

_LIMIT = 1000
_WAIT_MS = 1000.0  # a missed ring costs so much

tail = App(name="tail", help="Follow what is published, or another topic.", help_format="plaintext")

Follow = Annotated[bool, Parameter(help="Go on when all is read; without, everything that is kept is read once.")]


@tail.default
def topic(
    name: Annotated[str, Parameter(help="documents, a short cut's topic, or one of adsindex's own: updates.high.")],
    /,
    *,
    from_: Annotated[
        int | None, Parameter(name="--from", help="Begin at this offset of each partition. Without: only what is new.")
    ] = None,
    follow: Follow = True,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Print a topic's messages as they are written, one a line. Those of a short cut carry the position of their
    source: for each id keep the one with the highest (incarnation, position).

    For example:

        adsindex tail budget --json
        adsindex tail budget --no-follow
    """
    with opened(data) as folder, closing(Doorbell(data)) as doorbell:
        partitions = folder.log.partitions(name)
        if not partitions and name not in {one.topic for one in folder.flows.shortcuts.values()}:
            known = ["documents", *(one.topic for one in folder.flows.shortcuts.values())]
            raise SettingsError(f"there is no topic {name!r}; {nearest(name, known)}")
        view = message_view(name)
        offsets = dict.fromkeys(range(partitions), from_) if from_ is not None else _start(folder, name, follow)
        for partition, message in _messages(folder, name, offsets, doorbell if follow else None):
            _print_message(partition, message.offset, view(message.value), json)
    return OK


@tail.command
def documents(
    *,
    from_: Annotated[
        int | None,
        Parameter(name="--from", help="Begin at this sequence, as far back as it is kept. Without: only what is new."),
    ] = None,
    follow: Follow = True,
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
        offsets = {} if from_ is not None else _start(folder, DOCUMENTS, follow)
        for _, message in _messages(folder, DOCUMENTS, offsets, doorbell if follow else None):
            delta = decode_delta(message.value)
            if delta.kind == "document" and delta.sequence >= (from_ or 0):
                _print(folder, delta, sources, json)
    return OK


def _start(folder: DataFolder, topic: str, follow: bool) -> dict[int, int]:
    """Where to begin: at the end, or, to read once, at the beginning."""
    partitions = range(folder.log.partitions(topic) if follow else 0)
    return {at: folder.log.bounds(topic, at)[1] for at in partitions}


def _messages(
    folder: DataFolder, topic: str, offsets: dict[int, int], doorbell: Doorbell | None
) -> Iterator[tuple[int, Message]]:
    """(partition, message): what is there beyond `offsets`, a page of each partition in turn, and, with a doorbell,
    what comes."""
    while True:
        found = False
        for partition in range(folder.log.partitions(topic)):
            for message in folder.log.read(topic, partition, offsets.get(partition, 0), _LIMIT):
                yield partition, message
                offsets[partition], found = message.offset + 1, True
        if not found and doorbell is None:
            return
        if not found and doorbell is not None:
            doorbell.wait(_WAIT_MS)


def _print_message(partition: int, offset: int, view: View, as_json: bool) -> None:
    if as_json:
        render.print_json({"partition": partition, "offset": offset, **view})
        return
    text = " ".join(f"{name}={render.shown(value)}" for name, value in view.items() if value is not None)
    render.print_line(f"{partition}@{offset}  {text}")


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
