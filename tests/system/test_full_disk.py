"""A disk that is full in mid-commit: a clear error, nothing lost, and on it goes when there is space again."""

import os
import sqlite3
from random import Random

import pytest

from ops.demo.compare import compare_documents
from ops.engine.status import read_statuses
from tests.support.full_disk import file_limit, no_space
from tests.support.whole import Whole
from tests.system.bookshop.edits import edit
from tests.system.bookshop.expected import expected_documents

PAGES = 4096


def store_bytes(whole: Whole) -> int:
    return (whole.folder / "data.mdb").stat().st_size


@pytest.mark.parametrize("room", range(1, 60, 4))
def test_wherever_the_disk_fills_up(bookshop: Whole, shop: sqlite3.Connection, room: int) -> None:
    """room: pages that are still free when the first documents, or later the edits, are written."""
    random, told = Random(room), set[str]()
    for _ in range(2):
        for _ in range(20):
            edit(shop, random)
        with file_limit(store_bytes(bookshop) + room * PAGES):
            for _ in range(60):
                bookshop.turn()
                bookshop.clock.ms += 10.0
                told.update(one.last_error for one in bookshop.process.loop.passes)
        bookshop.settle()
        for document_type in ("book", "order"):
            for found in (bookshop.documents(document_type), bookshop.served(document_type)):
                assert list(compare_documents(expected_documents(shop, document_type), found)) == []
        assert bookshop.letters() == []
    told.update(bookshop.errors())
    assert room > 40 or any("is full or failing" in error for error in told), told


def test_what_can_not_note_when_documents_were_served_tells_its_status_still(
    index: Whole, editor: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = index.process.built
    assert built is not None
    monkeypatch.setattr(type(built.served), "write", lambda served: no_space(index.folder / "served"))
    (before,) = read_statuses(index.folder, {os.getpid()})
    editor.execute("UPDATE players SET value = 7 WHERE number = 1")
    index.settle()
    index.clock.ms += 5_000.0
    index.turn()
    (after,) = read_statuses(index.folder, {os.getpid()})
    assert after.at_ms >= before.at_ms + 5_000.0
