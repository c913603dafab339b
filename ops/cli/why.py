"""`adsindex why`: is this document served, and if not, why, and what to do."""

from typing import Annotated

from cyclopts import Parameter

from ops.addresses import shown_address
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, AsOf, Data, Json
from ops.lookup.explain import explain, find_document
from ops.lookup.json_view import why_json
from ops.opened import opened
from ops.times import parse_time
from ui.why.answer import SERVING
from ui.why.finding import Finding, Why

_MARKS = {"passed": "passed", "remark": "remark", "blocks": "BLOCKS", "skipped": "skipped"}
_STYLES = {"blocks": "bold red", "remark": "yellow", "skipped": "dim", "passed": ""}


def why(
    address: Annotated[
        str, Parameter(help='[TYPE/]ID; of several sources SOURCE:ID; a composite id as a,b or ["a",1].')
    ],
    /,
    *,
    as_of: AsOf = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Say whether a document is served; if not, why, since when, and what to do. Then every rule that was looked at.

    For example:

        adsindex why ad/4711
        adsindex why 4711 --as-of -2h --json

    Exit code 0: it is served, and current. 1: it is not. 3: there is no such id.
    """
    with opened(data) as folder:
        found = find_document(folder, address)
        timestamp = None if as_of is None else parse_time(as_of, folder.clock.now_ms())
        answer = explain(folder, found.document, found.key, timestamp)
        if json:
            render.print_json(why_json(answer))
        else:
            _print(answer, shown_address(found.document, found.key, folder.sources()))
    return OK if answer.code == SERVING else NOT_FOUND if answer.code == "unknown_id" else WRONG


def _print(answer: Why, address: str) -> None:
    render.print_title(address, answer.code)
    render.print_text(answer.sentence + "\n")
    if answer.next_step and answer.next_step not in answer.sentence:
        render.print_line(f"-> {answer.next_step}")
    render.print_line("")
    render.print_table(
        ("", "rule", ""),
        [(_MARKS[one.state], one.code, _told(one)) for one in answer.findings],
        styles=[_STYLES[one.state] for one in answer.findings],
    )


def _told(finding: Finding) -> str:
    step = f"  -> {finding.next_step}" if finding.next_step and finding.state == "remark" else ""
    return finding.sentence + step
