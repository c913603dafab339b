"""Parquet and JSON Lines behind one port: every row from any place on, faults by row, changes noticed."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from gateway.capture.file import jsonl
from gateway.capture.file.jsonl import JsonlFile
from gateway.capture.file.parquet import ParquetFile
from gateway.capture.file.port import FileRow, Place, RowFile
from proto.errors import InvalidMessageError, SettingsError

ROWS = [{"id": at, "name": f"n{at}", "tags": [at, None]} for at in range(1, 24)]
Make = Callable[[], RowFile]


def all_rows(file: RowFile, place: Place = Place(), rows_max: int = 5) -> list[FileRow]:  # noqa: B008
    return [row for page in file.pages(place, rows_max) for row in page.rows]


@pytest.fixture(params=["jsonl", "parquet"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "jsonl":
        (tmp_path / "rows").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        return lambda: JsonlFile(tmp_path / "rows")
    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / "rows", row_group_size=7)
    return lambda: ParquetFile(tmp_path / "rows")


def test_every_row_comes_with_its_number(make: Make) -> None:
    file = make()
    assert all_rows(file) == [FileRow(row["id"], row) for row in ROWS]
    file.close()


@pytest.mark.parametrize("rows_max", [1, 4, 100])
def test_it_goes_on_from_any_place(make: Make, rows_max: int) -> None:
    first = make()
    places = [page.place for page in first.pages(Place(), rows_max)]
    assert places[-1].row == len(ROWS) and first.size == (places[-1].byte or places[-1].row)
    first.close()
    for place in places:
        file = make()
        assert [row.number for row in all_rows(file, place)] == list(range(place.row + 1, len(ROWS) + 1))
        file.close()


def test_a_change_is_noticed_now_and_later(make: Make) -> None:
    file, again = make(), make()
    assert not file.changed() and again.fingerprint == file.fingerprint
    content = Path(file.path).read_bytes()
    Path(file.path).write_bytes(content.replace(b"n9", b"m9"))
    os.utime(file.path, (1, 1))
    assert file.changed() and make().fingerprint != file.fingerprint
    Path(file.path).unlink()
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        file.changed()


@pytest.mark.parametrize("opened", [JsonlFile, ParquetFile])
def test_an_empty_file_and_none(tmp_path: Path, opened: Callable[[Path], RowFile]) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(SettingsError, match="empty is empty: a program that writes it may have been stopped"):
        opened(tmp_path / "empty")
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        opened(tmp_path / "none")


def test_lines_that_are_no_rows_are_faults_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LINE_BYTES_MAX", 40)
    lines = [b'\xef\xbb\xbf{"a":1}', b'{"a":', b"", b"[1]", b'{"a":"\xff"}', b'{"a":"' + b"x" * 100 + b'"}', b'{"a":2}']
    (tmp_path / "rows").write_bytes(b"\n".join(lines) + b'\r\n{"a":3')
    found = all_rows(JsonlFile(tmp_path / "rows"), rows_max=2)
    assert [row.number for row in found] == [1, 2, 4, 5, 6, 7, 8]
    assert [row.values for row in found] == [{"a": 1}, {}, {}, {}, {}, {"a": 2}, {}]
    faults = [row.fault for row in found]
    assert faults[0] == faults[5] == ""
    assert [fault.partition(":")[0] for fault in faults[1:3]] == ["not JSON", "not a JSON object but [1]"]
    assert "the line is longer than 40 bytes" in faults[4]
    assert faults[6].endswith("the file seems to be cut off here") and "cut off" not in faults[1]


def test_parquet_that_is_cut_off_or_something_else(tmp_path: Path) -> None:
    parquet.write_table(arrow.Table.from_pylist(ROWS), tmp_path / "rows")
    content = (tmp_path / "rows").read_bytes()
    for wrong in (content[:-20], content[: len(content) // 2], b"id,name\n1,a\n"):
        (tmp_path / "rows").write_bytes(wrong)
        with pytest.raises(SettingsError, match=r"rows is no whole Parquet file \(cut off\?\)"):
            ParquetFile(tmp_path / "rows")


def test_parquet_that_is_damaged_in_the_middle_gives_what_is_before(tmp_path: Path) -> None:
    many = arrow.table({"id": list(range(3000)), "name": [f"name {at}" for at in range(3000)]})
    parquet.write_table(many, tmp_path / "rows", row_group_size=1000, use_dictionary=False)
    content = bytearray((tmp_path / "rows").read_bytes())
    begin = parquet.ParquetFile(tmp_path / "rows").metadata.row_group(1).column(1).data_page_offset
    content[begin : begin + 200] = b"\xff" * 200
    (tmp_path / "rows").write_bytes(content)
    file, found = ParquetFile(tmp_path / "rows"), list[FileRow]()
    with pytest.raises(InvalidMessageError, match="rows is damaged after row 1,000"):
        for page in file.pages(Place(), 500):
            found += page.rows
    assert [row.number for row in found] == list(range(1, 1001))


@pytest.mark.parametrize(
    ("kind", "fits", "misfits"),
    [
        (arrow.int32(), {"int", "float", "decimal", "bool", "str", "datetime", "json"}, {"bytes", "date"}),
        (arrow.string(), {"int", "str", "date", "bytes", "json"}, set()),
        (arrow.dictionary(arrow.int8(), arrow.large_string()), {"int", "str"}, set()),
        (arrow.timestamp("ns"), {"datetime", "date", "str"}, {"int", "bool"}),
        (arrow.list_(arrow.int8()), {"json"}, {"int", "str"}),
        (arrow.binary(), {"bytes", "json"}, {"int", "str"}),
        (arrow.null(), {"int", "str", "json"}, set()),
    ],
)
def test_types_are_compared_before_a_row_is_read(
    tmp_path: Path, kind: arrow.DataType, fits: set[str], misfits: set[str]
) -> None:
    parquet.write_table(arrow.table({"x": arrow.array([], kind)}), tmp_path / "rows")
    file = ParquetFile(tmp_path / "rows")
    assert {one for one in fits if file.holds(one, "x")} == fits
    assert not any(file.holds(one, "x") for one in misfits)


def test_nanoseconds_are_cut(tmp_path: Path) -> None:
    column: Any = arrow.array([1_790_000_000_123_456_789], arrow.timestamp("ns"))
    parquet.write_table(arrow.table({"at": column}), tmp_path / "rows")
    (row,) = all_rows(ParquetFile(tmp_path / "rows"))
    assert row.values == {"at": datetime(2026, 9, 21, 14, 13, 20, 123456)}  # noqa: DTZ001
