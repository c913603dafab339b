"""`why` about signals: one that never answered, one that is too old, and what is used instead."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from argus.api import Reading
from ops.installation import Installation, save_installation
from ops.lookup.explain import explain
from proto.codec import encode_key
from proto.flows.loader import loads
from tests.support.functions import module_of
from tests.support.whole import Whole
from tests.system.club import FLOWS
from ui.why.finding import Why

FIRST = encode_key(("main", "a", 1))
PATIENCE_S = 60.0
SIGNAL = """
[signals.form]
fetch = "club_handlers:form"
key = "shirt"
fields = { rank = "int" }
max_age_s = 60
on_failure = "ON_FAILURE"
"""


class Service:
    """What the signal asks."""

    def __init__(self) -> None:
        self.is_down = False

    def form(self, keys: Sequence[Any]) -> dict[Any, Reading]:
        if self.is_down:
            raise OSError("no route to it")
        return {key: Reading({"rank": 1}, 7) for key in keys}


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def make(tmp_path: Path, editor: sqlite3.Connection, whole: Callable[..., Whole], service: Service) -> Any:
    """The club, whose players have a form; with what is to be done when it can't be had."""

    def form(keys: Sequence[Any]) -> dict[Any, Reading]:
        return service.form(keys)

    def made(on_failure: str) -> Whole:
        flows = SIGNAL.replace("ON_FAILURE", on_failure) + FLOWS + 'rank = "signals.form.rank"\n'
        sources = {"main": f"sqlite:///{tmp_path / 'club.db'}"}
        index = whole(sources, loads(flows), (module_of(form, name="club_handlers"),), on_failure)
        save_installation(index.folder, Installation(sources))
        index.settle()
        return index

    return made


def until(index: Whole, wanted: Callable[[Why], bool]) -> Why:
    """Threads answer when they do."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        for _ in range(5):
            index.turn()
        answer = explain(index.data, "player", FIRST)
        if wanted(answer):
            return answer
        assert time.monotonic() < deadline, answer.sentence
        index.clock.ms += 500.0
        time.sleep(0.002)


def test_an_answered_signal_passes(make: Callable[[str], Whole]) -> None:
    answer = until(make("use_last"), lambda answer: answer.code == "serving")
    assert next(one for one in answer.findings if one.code == "signal_stale").state == "passed"


def test_signal_missing(make: Callable[[str], Whole], service: Service) -> None:
    service.is_down = True
    answer = until(make("use_last"), lambda answer: answer.code == "signal_missing")
    assert answer.serving and "signal form has not said anything about s1 so far" in answer.sentence
    assert "its fields are empty until then" in answer.sentence


def test_a_signal_that_holds_the_document_back(make: Callable[[str], Whole], service: Service) -> None:
    service.is_down = True
    answer = until(make("block"), lambda answer: answer.code == "signal_missing")
    assert not answer.serving
    assert "the document keeps its last content until then" in answer.sentence


def test_signal_stale_says_what_is_used_instead(
    make: Callable[[str], Whole], service: Service, editor: sqlite3.Connection
) -> None:
    index = make("use_last")
    until(index, lambda answer: answer.code == "serving")
    service.is_down = True
    index.clock.ms += 61_000.0
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    answer = until(index, lambda answer: answer.code == "signal_stale")
    assert answer.serving and "the last good value is used (version 7)" in answer.sentence
    editor.execute("UPDATE players SET value = -1 WHERE number = 1")
    answer = until(index, lambda answer: answer.code == "not_servable")
    assert next(one for one in answer.findings if one.code == "signal_stale").state == "remark"


def test_signal_stale_without_an_edit(make: Callable[[str], Whole], service: Service) -> None:
    index = make("use_last")
    until(index, lambda answer: answer.code == "serving")
    service.is_down = True
    index.clock.ms += 120_000.0
    answer = until(index, lambda answer: answer.code == "signal_stale")
    assert answer.serving and "the last good value is used (version 7)" in answer.sentence
    service.is_down = False
    until(index, lambda answer: answer.code == "serving")
