"""`adsindex ingest`: rows of a feed, as JSON lines, to a process that runs with --rpc."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial as bound
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from cyclopts import Parameter

from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import Json
from ops.rpc.client import Client, Refusal, SentRow, retried
from proto.errors import SettingsError

_ATTEMPTS = 8
_SHOWN = 10


def ingest(
    path: Annotated[
        Path, Parameter(allow_leading_hyphen=True, help="JSON lines, an object a row; - reads standard input.")
    ],
    /,
    *,
    table: Annotated[str, Parameter(help="A table with feed = true.")],
    address: Annotated[str, Parameter(help="HOST:PORT, as `adsindex run --rpc` prints it.")],
    source: Annotated[str, Parameter(help="Among whose rows they are, if there are several sources.")] = "",
    version: Annotated[int | None, Parameter(help='Of rows without "@version": ms since 1970. Default: now.')] = None,
    partial: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Columns that a row does not name stay as they are.")
    ] = False,
    batch: Annotated[int, Parameter(help="Rows that are sent, and answered, together.")] = 500,
    json: Json = False,
) -> int:
    """Send rows of a feed to a running index. Each is answered once it is durable.

    In a line "@version" gives the row's version, of which the highest stays, and "@deleted": true says that the row is
    gone. When the server goes away, what was not answered is sent again. Exit code 1: rows were refused.

    For example:

        adsindex ingest scores.jsonl --table pin_scores --address 127.0.0.1:50051
        echo '{"pin_id": 7, "score": 0.5}' | adsindex ingest - --table pin_scores --address 127.0.0.1:50051 --json
    """
    if batch < 1:
        raise SettingsError(f"--batch {batch}: at least 1 row is sent together")
    taken, refusals = 0, list[Refusal]()
    as_of = int(time.time() * 1000) if version is None else version
    with closing(Client(address)) as client, _opened(path) as lines:
        every = _rows(lines, as_of, refusals)
        while rows := tuple(islice(every, batch)):
            send = bound(_send, client, table, source, partial)
            count, refused = retried(send, rows, time.sleep, _ATTEMPTS)
            taken += count
            refusals += refused
    if json:
        shown = [{"line": one.number, "column": one.column, "reason": one.reason} for one in refusals[:_SHOWN]]
        render.print_json({"taken": taken, "refused": len(refusals), "refusals": shown})
    else:
        render.print_line(f"{taken:,} rows are durable, {len(refusals):,} refused")
        for one in refusals[:_SHOWN]:
            column = f", column {one.column!r}" if one.column else ""
            render.print_line(f"line {one.number:,}{column}: {one.reason}")
    return WRONG if refusals else OK


def _send(
    client: Client, table: str, source: str, partial: bool, rows: tuple[SentRow, ...]
) -> Iterator[tuple[int, list[Refusal]]]:
    return client.send(table, source, [rows], partial)


def _opened(path: Path) -> BinaryIO:
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from None


def _rows(lines: BinaryIO, as_of: int, refusals: list[Refusal]) -> Iterator[SentRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refusals.append(Refusal(number, "", f"not a JSON object: {error}"))
            continue
        given, deleted = values.pop("@version", as_of), values.pop("@deleted", False)
        if type(given) is not int or type(deleted) is not bool:
            refusals.append(Refusal(number, "", '"@version" is a whole number, "@deleted" true or false'))
            continue
        yield SentRow(number, values, given, deleted)
