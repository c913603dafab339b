"""`adsindex fixture`: the rows around a real document, as JSON for a test."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from argus.fixture import to_json
from ops.addresses import document_address
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.parameters import DEFAULT_DATA, AsOf, Data, Json
from ops.opened import opened
from ops.rows_around import around_document
from ops.times import parse_time
from proto.errors import InvalidMessageError


def fixture(
    address: Annotated[str, Parameter(help="[TYPE/]ID, as for `adsindex doc`.")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="A file. Without: standard output.")] = None,
    as_of: AsOf = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Write the rows and signals that a document is made of as JSON, and the document; sensitive columns are masked.
    With --json on one line.

    In a test: HandlerEnvironment(flows, module).fixture(Path("product_7.json").read_text()).document("product", 7)

    For example:

        adsindex fixture product/7 -o tests/product_7.json

    Exit code 3: there is no such document.
    """
    with opened(data) as folder:
        found = document_address(folder.flows, folder.sources(), address)
        timestamp = None if as_of is None else parse_time(as_of, folder.clock.now_ms())
        with folder.snapshot(timestamp) as snapshot:
            try:
                made = around_document(folder, snapshot, found.document, found.key)
            except InvalidMessageError as error:
                render.note(f"there is no document {found.text}: {error}")
                return NOT_FOUND
    if made.masked:
        render.note(f"masked: {', '.join(made.masked)}")
    if made.fields is None:
        render.note(f"{found.text} can't be built of these rows: the fixture has its rows, and no fields")
    if json and output is None:
        render.print_json(made)
    elif output is None:
        render.print_text(to_json(made))
    else:
        output.write_text(to_json(made))
        render.note(f"{output}: {sum(map(len, made.rows.values()))} rows of {len(made.rows)} tables")
    return OK
