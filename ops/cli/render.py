"""What commands print: JSON for programs; for people aligned lines, coloured and fitted only on a terminal."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

_encode_json = msgspec.json.Encoder().encode
_VALUE_CHARACTERS_MAX = 400
_GAP = "  "


def console() -> Console:
    """Standard output as it is now (tests replace it)."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def print_json(value: Any, flush: bool = True) -> None:
    """One value, one line; flushed, so that a reader at the other end of a pipe has it at once. Bytes become base64."""
    sys.stdout.write(json_line(value))
    if flush:
        sys.stdout.flush()


def json_line(value: Any) -> str:
    """One line of JSON with its line break."""
    return _encode_json(value).decode() + "\n"


def print_line(text: str) -> None:
    """One line as it is; on a terminal cut where the line ends."""
    out = console()
    out.print(
        Text(set_cell_size(text, out.width - 1) + "…" if out.is_terminal and cell_len(text) > out.width else text)
    )


def print_text(text: str) -> None:
    """Several lines as they are."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_problem(text: str) -> None:
    """A sentence that somebody should read."""
    console().print(Text("! " + text, style="bold red"))


def note(text: str) -> None:
    """A remark for people, on standard error."""
    Console(file=sys.stderr, highlight=False, soft_wrap=True).print(Text(text))


def shown(value: Any) -> str:
    """A stored value on one line: NULL, text as it is unless that misleads, the rest as JSON; long ones are cut."""
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else _encode_json(value).decode()
    if isinstance(value, bytes):
        text = text[1:-1]
    if isinstance(value, str) and _needs_quotes(value):
        text = _encode_json(value).decode()
    if len(text) > _VALUE_CHARACTERS_MAX:
        return f"{text[:_VALUE_CHARACTERS_MAX]}… ({len(text):,} characters; --json shows all)"
    return text


def _needs_quotes(text: str) -> bool:
    if text in ("", "NULL", "true", "false", "null"):
        return True
    return text[0] in '"[{' or text != text.strip() or not text.isprintable()


def size(count: int) -> str:
    """`3.2 MB`; powers of 1000."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def print_title(title: str, *remarks: str) -> None:
    """A heading: the subject in bold, what is to be said about it behind."""
    line = Text(title, style="bold")
    for remark in filter(None, remarks):
        line.append(_GAP + remark, style="not bold")
    console().print(line)


def print_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[int] = (),
    styles: Sequence[str] = (),
    header: bool = True,
) -> None:
    """Aligned columns; on a terminal that is too narrow the last column goes on below itself.

    right: numbers of the columns that are aligned to the right. styles: one a row ("" for none).
    """
    out = console()
    held = [[str(cell) for cell in row] for row in rows]
    widths = [max(cell_len(row[at]) for row in [list(headers), *held]) for at in range(len(headers))]
    width = out.width if out.is_terminal else 0
    if header:
        out.print(Text("\n".join(_lines(headers, widths, right, width)), style="bold"))
    for at, row in enumerate(held):
        style = styles[at] if at < len(styles) else ""
        out.print(Text("\n".join(_lines(row, widths, right, width)), style=style))


def _lines(cells: Sequence[str], widths: Sequence[int], right: Sequence[int], width: int) -> list[str]:
    """One row as lines. width 0: one line, however long."""
    *front, last = [
        " " * (widths[at] - cell_len(cell)) + cell if at in right else set_cell_size(cell, widths[at])
        for at, cell in enumerate(cells)
    ]
    head = "".join(cell + _GAP for cell in front)
    room = width - cell_len(head)
    last = last if len(cells) - 1 in right else last.rstrip()
    if not width or cell_len(last) <= room:
        return [(head + last).rstrip()]
    if room < 12:  # no sense in a column of a few letters
        return [head.rstrip(), *_folded(last, max(12, width - 4), "    ")]
    first, *others = _folded(last, room, "")
    return [head + first, *(" " * cell_len(head) + other for other in others)]


def _folded(text: str, width: int, indent: str) -> list[str]:
    """Cuts at spaces where there are some."""
    lines = []
    while cell_len(text) > width:
        end = width
        while cell_len(text[:end]) > width:
            end -= 1
        space = text.rfind(" ", 1, end + 1)
        end = space if space > 0 else end
        lines.append(indent + text[:end].rstrip())
        text = text[end:].lstrip()
    return [*lines, indent + text] if text else lines
