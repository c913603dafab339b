"""Which column of a file is which of its table: `--map`, and what can be told before the first row is read."""

from collections.abc import Iterable, Mapping

from gateway.capture.file.port import RowFile
from proto.errors import SettingsError
from proto.flows.model import Table
from proto.flows.paths import nearest


def parse_map(texts: Iterable[str], table: Table) -> dict[str, str]:
    """`colour=color` -> {"colour": "color"}; `colour=` leaves it out. Raises SettingsError."""
    known = [column.name for column in table.columns.values() if not column.writer]
    renamed: dict[str, str] = {}
    for text in texts:
        name, equals, column = text.partition("=")
        if not equals or not name:
            raise SettingsError(f"--map {text!r}: write FILE_COLUMN=COLUMN, or FILE_COLUMN= to leave it out")
        if column and column not in known:
            raise SettingsError(
                f"--map {text!r}: table {table.name!r} has no column {column!r}; {nearest(column, known)}"
            )
        if column and column in renamed.values():
            raise SettingsError(f"--map {text!r}: column {column!r} would come from two columns of the file")
        if name in renamed:
            raise SettingsError(f"--map {text!r}: {name!r} is mapped twice")
        renamed[name] = column
    return renamed


def check_columns(file: RowFile, table: Table, renamed: Mapping[str, str], partial: bool) -> None:
    """Raises SettingsError when a file that names its columns lacks one, has one too many, or one of another type."""
    if file.columns is None:
        return
    for name in renamed:
        if name not in file.columns:
            raise SettingsError(
                f"--map {name}=...: {file.path} has no column {name!r}; {nearest(name, list(file.columns))}"
            )
    known = {column.name: column.type for column in table.columns.values() if not column.writer}
    comes: dict[str, str] = {}
    for name, kind in file.columns.items():
        column = renamed.get(name, name)
        if column == "":
            continue
        if column not in known:
            hint = f"leave it out with --map {name}= or name it: --map {name}=COLUMN"
            raise SettingsError(f"{file.path}: table {table.name!r} has no column {name!r}; {hint}")
        if column in comes:
            raise SettingsError(
                f"{file.path}: {comes[column]!r} and {name!r} would both be column {column!r}; map one away"
            )
        if not file.holds(known[column], name):
            raise SettingsError(
                f"{file.path}: column {name!r} is {kind}, and {column!r} of the table is {known[column]!r}"
            )
        comes[column] = name
    for column in known:
        if column not in comes and (column in table.key or not partial):
            hint = "map another one to it: --map NAME=" + column
            hint += "" if column in table.key else ", or leave what is stored as it is: --partial"
            raise SettingsError(f"{file.path} has no column {column!r}; {hint}")
