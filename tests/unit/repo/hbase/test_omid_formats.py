"""The bytes of Omid 1.1.3, as its own oracle and Java client wrote them into HBase."""

import pytest

from proto.errors import CorruptionError, SettingsError
from repo.hbase import commit_table, shadow_cells
from repo.hbase.cell_ids import cell_id, lone_cell_id
from repo.hbase.commit_table import decode_commit, encode_commit, id_of, row_of

START, COMMITTED = 1795310893648000000, 1795310893648000000 + 10_000_000


@pytest.mark.parametrize(("row", "wanted"), [(b"w1", -4298348140945402508), (b"w2", -9078202023925978368)])
def test_a_cell_id_is_what_the_java_client_sends(row: bytes, wanted: int) -> None:
    assert cell_id(b"omid_it", row, b"d", b"q") == wanted
    assert cell_id(b"omid_it", b"", b"", b"") == 3097297859687094966, "what it sends for the table"


def test_lone_cells_differ_by_transaction() -> None:
    assert len({lone_cell_id(id) for id in range(1000)}) == 1000


def test_a_shadow_cell_lies_beside_its_cell() -> None:
    assert shadow_cells.shadow_column(b"d:q") == b"d:\x00\xc2\x80q\xc2\x80"
    assert shadow_cells.encode_shadow(0x18EA39BEF85D5680) == bytes.fromhex("18ea39bef85d5680")
    assert shadow_cells.decode_shadow(bytes.fromhex("18ea39bef85d5680")) == 0x18EA39BEF85D5680


def test_what_looks_like_a_shadow_cell_can_not_be_a_name() -> None:
    with pytest.raises(SettingsError, match="C2 80"):
        shadow_cells.shadow_column(b"d:q\xc2\x80")


def test_a_row_of_the_commit_table() -> None:
    assert row_of(0x18EA3988B1917780) == bytes.fromhex("0018ea3988b1917780")
    assert row_of(0x18EA3988B1917787)[:1] == b"\x07"
    assert id_of(row_of(START)) == START
    assert (commit_table.COMMIT, commit_table.INVALID) == (b"F:C", b"F:IT")


@pytest.mark.parametrize(
    ("difference", "encoded"),
    [
        (10_000_000, "80ade204"),
        (1, "01"),
        (127, "7f"),
        (128, "8001"),
        (-(2**63) + 2, "82808080808080808001"),
        (-50_000, "b0f9fcffffffffffff01"),  # a start timestamp in the future, which Omid's oracle accepts
    ],
)
def test_a_commit_is_the_difference_as_a_varint(difference: int, encoded: str) -> None:
    assert encode_commit(START, START + difference) == bytes.fromhex(encoded)
    assert decode_commit(START, bytes.fromhex(encoded)) == START + difference


@pytest.mark.parametrize("junk", ["", "80", "018a", "ff" * 11])
def test_bytes_that_are_no_varint_are_corruption(junk: str) -> None:
    with pytest.raises(CorruptionError, match="commit table"):
        decode_commit(START, bytes.fromhex(junk))


def test_a_shadow_cell_of_another_length_is_corruption() -> None:
    with pytest.raises(CorruptionError, match="shadow"):
        shadow_cells.decode_shadow(b"\0" * 7)
    with pytest.raises(CorruptionError, match="row"):
        id_of(b"LOW_WATERMARK")
