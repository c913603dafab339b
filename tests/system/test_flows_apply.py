"""Flows that are applied while processes run and edits go on: who takes them over, and that nobody undoes anything."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ops.demo.compare import compare_documents, from_line
from tests.support.processes import PATIENCE_S, Daemon, adsindex
from tests.system.bookshop.expected import expected_documents
from tests.system.editing import torn_pair
from tests.system.shop_processes import BOOKSHOP, editing, run_command

MARK = '''"""Which code has built a book."""

from argus.api import field


@field(document="book", inputs={{"title": "title"}}, version={number})
def built_by_code(title: str | None) -> int:
    return {number}
'''


class Rollout:
    """The book shop under edits, a data folder, and two versions of the code: old and new."""

    def __init__(self, folder: Path, shop: sqlite3.Connection) -> None:
        self.folder, self.shop, self.data = folder, shop, folder / "data"
        for number, name in ((1, "old"), (2, "new")):
            (folder / name).mkdir()
            (folder / name / "mark.py").write_text(MARK.format(number=number))
        self.started: list[Daemon] = []

    def handlers(self, name: str) -> tuple[object, ...]:
        return ("--handlers", self.folder / name / "mark.py")

    def run(self, name: str, *more: object) -> Daemon:
        arguments = run_command(self.folder, *self.handlers(name), *more)
        self.started.append(Daemon(arguments, self.folder / f"{name}{len(self.started)}.txt"))
        return self.started[-1]

    def apply(self, name: str, *more: object) -> Any:
        return adsindex(
            "flows",
            "apply",
            "--handlers",
            BOOKSHOP / "handlers.py",
            *self.handlers(name),
            "--data",
            self.data,
            "--yes",
            *more,
        )

    def lines(self) -> list[dict[str, Any]]:
        return adsindex("docs", "--json", "--data", self.data).jsonl

    def check(self, code: int) -> None:
        """Everything is as a join would have it, and built by this code; nothing that was published went back."""
        waited = adsindex("wait", "--data", self.data, "--timeout", PATIENCE_S / 2)
        assert waited.code == 0, waited
        lines = self.lines()
        books = [line for line in lines if line["type"] == "book"]
        assert {line["fields"].pop("built_by_code") for line in books} == {code}
        for document_type in ("book", "order"):
            found = {one.id: one for one in (from_line(line) for line in lines if line["type"] == document_type)}
            assert len(found) > 5
            assert list(compare_documents(expected_documents(self.shop, document_type), found)) == []
        newest: dict[Any, tuple[int, int]] = {}
        for line in adsindex("tail", "documents", "--no-follow", "--json", "--data", self.data).jsonl:
            if line["type"] == "book" and line.get("fields"):
                this = (line["sequence"], line["fields"]["built_by_code"])
                before = newest.get(line["id"], (0, 0))
                assert this[0] >= before[0] and this[1] >= before[1], f"{line['id']} went back: {before}, {this}"
                newest[line["id"]] = this


@pytest.fixture
def rollout(tmp_path: Path, shop: sqlite3.Connection) -> Iterator[Rollout]:
    made = Rollout(tmp_path, shop)
    torn_pair(shop, 0)
    made.started.append(editing(tmp_path, 7, 100))
    yield made
    for daemon in made.started:
        daemon.kill()


def test_what_runs_takes_over_what_was_applied(rollout: Rollout) -> None:
    running = rollout.run("old")
    running.says("live")
    applied = rollout.apply("new", "--wait", "--reason", "a better mark")
    assert applied.code == 0 and "generation 2 is admitted" in applied.output, applied
    assert running.process.poll() is None, "it is the same process still"
    running.says("flows generation 2 was applied: this process starts again with it")
    rollout.started[0].kill()
    rollout.check(2)
    shown = adsindex("flows", "show", "--data", rollout.data, "--json").jsonl[0]
    assert shown["current"] == 2 and [one["pid"] for one in shown["processes"]] == [running.process.pid]
    assert rollout.apply("new").output.startswith("nothing to do")
    assert running.stop() == 0


def test_old_and_new_side_by_side_killed_and_started_in_any_order(rollout: Rollout) -> None:
    random = Random(11)
    running = {"old": rollout.run("old", "--no-adopt")}
    running["old"].says("live")
    assert rollout.apply("new").code == 0
    running["new"] = rollout.run("new")
    running["new"].says("standing by")
    for _ in range(6):
        time.sleep(random.uniform(0.1, 1.0))
        name = random.choice(["old", "new"])
        if random.random() < 0.7:
            running[name].kill()
        elif running[name].process.poll() is None:
            running[name].process.terminate()
            running[name].process.wait(PATIENCE_S)
        running[name] = rollout.run(name, *(["--no-adopt"] if name == "old" else []))
    running["old"].kill()
    if running["new"].process.poll() is not None:
        running["new"] = rollout.run("new")
    running["new"].says("live")
    rollout.started[0].kill()
    rollout.check(2)
    running["new"].kill()
    late = rollout.run("old")
    assert late.process.wait(PATIENCE_S) == 2
    assert "flows and handlers of generation 1, which generation 2 has replaced" in " ".join(late.text.split()), (
        late.text
    )
    assert rollout.apply("old", "--wait", "--timeout", "0.1").code == 1, "nobody runs"
    back = rollout.run("old")
    back.says("live")
    waited = adsindex("wait", "--data", rollout.data)
    assert waited.code == 0
    marks = {line["fields"]["built_by_code"] for line in rollout.lines() if line["type"] == "book"}
    assert marks == {1}, "back on purpose"
