"""What can be told of a file before its first row: columns that it lacks, has too many, or of another type."""

from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from gateway.capture.file.jsonl import JsonlFile
from gateway.capture.file.parquet import ParquetFile
from gateway.feed_columns import check_columns, parse_map
from proto.errors import SettingsError
from tests.support.source import table

TABLE = table("scores", {"id": "int", "score": "float", "at": "datetime"}, feed=True, source_table="")
RIGHT: dict[str, Any] = {"id": [1], "score": [0.5], "at": [0]}


@pytest.mark.parametrize(
    ("columns", "maps", "said"),
    [
        (
            {"at": None},
            [],
            "has no column 'at'; map another one to it: --map NAME=at, or leave what is stored .* --partial",
        ),
        ({"id": None}, [], "has no column 'id'; map another one to it: --map NAME=id$"),
        ({"scor": [1.0]}, [], "table 'scores' has no column 'scor'; leave it out with --map scor= or name it"),
        ({"score": [[1.0]]}, [], r"column 'score' is list<.*>, and 'score' of the table is 'float'"),
        ({"id": [b"1"]}, [], "column 'id' is binary, and 'id' of the table is 'int'"),
        ({"points": [1.0]}, ["points=score"], "'score' and 'points' would both be column 'score'; map one away"),
        ({}, ["scre=score"], r"--map scre=...: .* has no column 'scre'; did you mean 'score'\?"),
    ],
)
def test_a_file_that_does_not_fit(tmp_path: Path, columns: dict[str, Any], maps: list[str], said: str) -> None:
    held = {name: values for name, values in {**RIGHT, **columns}.items() if values is not None}
    parquet.write_table(arrow.table(held), tmp_path / "rows")
    with pytest.raises(SettingsError, match=said):
        check_columns(ParquetFile(tmp_path / "rows"), TABLE, parse_map(maps, TABLE), False)


@pytest.mark.parametrize(
    ("columns", "maps", "partial"),
    [
        ({}, [], False),
        ({"at": None}, [], True),
        ({"score": None, "points": ["1.5"]}, ["points=score"], False),
        ({"note": ["x"]}, ["note="], False),
    ],
)
def test_a_file_that_fits(tmp_path: Path, columns: dict[str, Any], maps: list[str], partial: bool) -> None:
    held = {name: values for name, values in {**RIGHT, **columns}.items() if values is not None}
    parquet.write_table(arrow.table(held), tmp_path / "rows")
    check_columns(ParquetFile(tmp_path / "rows"), TABLE, parse_map(maps, TABLE), partial)


def test_json_lines_are_looked_at_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "rows").write_text('{"what": 1}\n')
    check_columns(JsonlFile(tmp_path / "rows"), TABLE, {"x": "score"}, False)


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        (["score"], "write FILE_COLUMN=COLUMN, or FILE_COLUMN= to leave it out"),
        (["=score"], "write FILE_COLUMN=COLUMN"),
        (["a=scores"], r"table 'scores' has no column 'scores'; did you mean 'score'\?"),
        (["a=score", "b=score"], "column 'score' would come from two columns of the file"),
        (["a=score", "a=id"], "'a' is mapped twice"),
    ],
)
def test_a_map_that_leads_nowhere(maps: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        parse_map(maps, TABLE)
