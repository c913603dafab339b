"""Signals through the whole way, with real threads: a service that knows, one that fails and comes back."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from argus.api import Reading
from proto.flows.loader import loads
from tests.support.functions import module_of
from tests.support.processes import adsindex
from tests.support.whole import Whole

FLOWS = """
[tables.ads]
source = "ads"
key = "id"
columns = { id = "int", pin_id = "int", title = "str" }

[signals.performance]
fetch = "pin_service:performance"
key = "pin_id"
fields = { ctr = "float" }
max_age_s = 60
breaker = { failures = 2, open_s = 5 }

[documents.ad]
root = "ads"
copy = ["title", "signals.performance.ctr"]
"""
PATIENCE_S = 60.0


class Service:
    """A Python fetcher. error: what it raises."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls: list[list[int]] = []

    def module(self) -> Any:
        def performance(keys: Sequence[int]) -> dict[int, Reading | None]:
            self.calls.append(list(keys))
            if self.error is not None:
                raise self.error
            return {key: Reading({"ctr": key / 1000}, 1) for key in keys}

        return module_of(performance, name="pin_service")


@pytest.fixture
def ads(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "ads.db", isolation_level=None)
    connection.execute("CREATE TABLE ads (id INTEGER PRIMARY KEY, pin_id INTEGER, title TEXT)")
    connection.executemany("INSERT INTO ads VALUES (?, ?, 'old')", [(number, 10 * number) for number in range(1, 41)])
    return connection


def settle(index: Whole) -> None:
    """Until nothing is being asked, either; answers come from threads."""
    index.settle()
    deadline_s = time.monotonic() + PATIENCE_S
    while not pulls_of(index).is_quiet():
        assert time.monotonic() < deadline_s
        if not index.turn():
            time.sleep(0.001)
    index.settle()


def pulls_of(index: Whole) -> Any:
    assert index.process.built is not None
    return index.process.built.parts.pulls


def ctr(index: Whole, ad: int) -> Any:
    line = index.line("ad", ad)
    assert line is not None
    return line["fields"]["signals_performance_ctr"]


def test_documents_come_with_their_signals_and_each_is_published_once(
    tmp_path: Path, ads: sqlite3.Connection, whole: Any
) -> None:
    service = Service()
    index = whole({"main": f"sqlite:///{tmp_path / 'ads.db'}"}, loads(FLOWS), [service.module()])
    settle(index)
    assert [ctr(index, ad) for ad in (1, 40)] == [0.01, 0.4]
    assert sum(map(len, service.calls)) == 40 and sum(1 for _ in index.published()) == 40
    ads.execute("UPDATE ads SET title = 'new' WHERE id = 1")
    settle(index)
    assert sum(map(len, service.calls)) == 40 and sum(1 for _ in index.published()) == 41
    ads.execute("UPDATE ads SET pin_id = 5 WHERE id = 1")
    settle(index)
    assert ctr(index, 1) == 0.005 and service.calls[-1] == [5]


def test_an_outage_is_told_and_made_good_when_the_service_is_back(
    tmp_path: Path, ads: sqlite3.Connection, whole: Any
) -> None:
    service = Service()
    index = whole({"main": f"sqlite:///{tmp_path / 'ads.db'}"}, loads(FLOWS), [service.module()])
    settle(index)
    service.error = ZeroDivisionError("no pins today")
    ads.execute("UPDATE ads SET pin_id = 5, title = 'new' WHERE id = 1")
    deadline_s = time.monotonic() + PATIENCE_S
    index.settle()
    while pulls_of(index).by_name["performance"].breaker.state != "open":
        assert time.monotonic() < deadline_s
        if not index.turn():
            index.clock.ms += 100.0
            time.sleep(0.001)
    line = index.line("ad", 1)
    assert line is not None and line["fields"]["title"] == "new" and ctr(index, 1) is None
    index.clock.ms += 1000.0
    index.turn()
    told = adsindex("signals", "--json", "--data", index.folder)
    (signal,) = told.jsonl
    assert told.code == 1 and (signal["name"], signal["breaker"], signal["waiting"]) == ("performance", "open", 1)
    assert signal["last_error"] == "ZeroDivisionError: no pins today" and signal["cached"] == 40
    assert "signal performance fails: ZeroDivisionError" in adsindex("status", "--data", index.folder).output
    service.error = None
    index.clock.ms += 60_000.0
    settle(index)
    assert ctr(index, 1) == 0.005
