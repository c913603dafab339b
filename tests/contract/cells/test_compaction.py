"""What a delete goes on doing, until a compaction of all files ends it."""

from repo.hbase.cells import Stored
from tests.contract.cells.conftest import Served
from tests.support.hbase import eventually

A = b"d:a"


def test_what_was_put_under_a_delete_comes_to_light_after_a_compaction(served: Served) -> None:
    table = served.table
    served.cells.put(table, 10, {b"x": {A: b"early"}, b"y": {A: b"early"}})
    served.cells.delete(table, 20, {b"x": [A], b"y": [A]})
    for row in (b"1", b"2", b"3"):  # HBase compacts three files, rather not two
        served.cells.put(table, 10, {row: {A: b""}})
        served.flush()
    served.cells.put(table, 15, {b"x": {A: b"late"}})
    assert served.cells.get(table, [b"x", b"y"], [A]) == {}
    served.compact()
    eventually(lambda: b"x" in served.cells.get(table, [b"x"], [A]), "a compaction")
    assert served.cells.versions(table, b"x", A, None, 9) == [Stored(15, b"late")]
    assert served.cells.get(table, [b"y"], [A]) == {}
    served.cells.put(table, 12, {b"x": {A: b"later"}, b"y": {A: b"later"}})
    assert served.cells.versions(table, b"x", A, None, 9) == [Stored(15, b"late"), Stored(12, b"later")]
    assert served.cells.versions(table, b"y", A, None, 9) == [Stored(12, b"later")]
