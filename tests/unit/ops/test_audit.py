"""The audit record: lines are only added, and a line that was cut short spoils no other."""

from pathlib import Path

import pytest

from ops.audit import FILE, Action, Audit, acting_user


def action(what: str) -> Action:
    return Action(at_ms=1.0, who="ana", command="lanes pause", what=what)


def test_actions_are_read_as_they_were_recorded(tmp_path: Path) -> None:
    Audit(tmp_path).record(action("one"))
    Audit(tmp_path).record(action("two\nlines"))
    assert Audit(tmp_path).actions() == [action("one"), action("two\nlines")]


def test_nothing_was_done_yet(tmp_path: Path) -> None:
    assert Audit(tmp_path).actions() == []


def test_a_line_cut_short_by_a_full_disk_spoils_no_other(tmp_path: Path) -> None:
    Audit(tmp_path).record(action("one"))
    with (tmp_path / FILE).open("ab") as record:
        record.write(b'{"at_ms": 1.0, "who')
    Audit(tmp_path).record(action("two"))
    assert Audit(tmp_path).actions() == [action("one"), action("two")]


def test_who_acts_is_the_user_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert acting_user({"SUDO_USER": "ana"}) == "ana (sudo)"
    assert acting_user({}) == "root"
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert acting_user({"SUDO_USER": "ana"}) == "4000000"
