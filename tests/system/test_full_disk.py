"""A disk that is full in mid-commit: a clear error, nothing lost, and on it goes when there is space again."""

import os
import sqlite3
from random import Random

import pytest

from ops.cli.announce import Announcer
from ops.demo.compare import compare_documents
from ops.engine.status import read_statuses
from ops.times import clock_time
from ops.wiring.adoption import Adoption
from tests.support.full_disk import file_limit, no_space
from tests.support.processes import adsindex
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


def test_it_says_that_commits_fail_since_when_and_that_they_work_again(
    index: Whole, editor: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    data = index.folder
    announcer = Announcer(index.process, data, False, Adoption(index.process.store, 1, None, index.process.loop.stop))
    announcer.look()
    said = capsys.readouterr().out
    assert "live: every edit is served" in said
    players = [(at, str(at)) for at in range(9, 999)]
    editor.executemany("INSERT INTO players (club, number, team_id, shirt, value) VALUES ('a', ?, 1, ?, 1)", players)
    with file_limit(store_bytes(index)):
        for _ in range(100):
            index.turn()
            index.clock.ms += 100.0
            announcer.look()
        since = f"can't commit since {clock_time(index.process.loop.passes[0].failing_since_ms)} UTC"
        (told,) = [line for line in adsindex("status", "--data", data, "--json").jsonl[0]["problems"] if since in line]
        assert "Free some space" in told and "goes on by itself" in told
        found = adsindex("doctor", "--data", data, "--json")
        assert found.code == 1
        (commits,) = [one for one in found.jsonl[0] if one["subject"] == "commits"]
        assert commits["level"] == "error" and since in commits["text"] and commits["mend"]
        assert since in adsindex("wait", "--data", data, "--timeout", "0").output
        (status,) = read_statuses(data, {os.getpid()})
        assert status.more["source main"] == "waits: commits fail"
    said = capsys.readouterr()
    assert (said.out + said.err).count("can't commit since") == 1
    index.settle()
    index.clock.ms += 1000.0
    index.turn()
    announcer.look()
    assert "commits work again" in capsys.readouterr().out
    assert "can't commit" not in adsindex("status", "--data", data).output
    assert ("commits", "fine") in [
        (one["subject"], one["level"]) for one in adsindex("doctor", "--data", data, "--json").jsonl[0]
    ]
    assert len(index.documents("player")) > 990
