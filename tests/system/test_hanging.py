"""A function that never returns is ended, and only its document waits; where it can't be ended, it is seen at least."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import ROOT, Daemon, adsindex, command
from tests.system.club import FLOWS, club

CODE = """
from argus.api import field

@field(document="player", inputs={"value": "value"}, version=1)
def checked(value: int) -> int:
    if value == 99:
        print("it hangs", flush=True)
    while value == 99:
        pass
    return value
"""
LOOKS = ("status", "doctor", "doc player/a,1", "docs", "why player/a,1", "lanes show", "tail documents --no-follow")

ALONE = """
import time
from ops.engine.hangs import told

class Loop:
    def periodically(self, task):
        pass

with told(Loop(), 0.2):
    time.sleep(1.0)
with told(Loop(), 0.2):
    pass
time.sleep(0.5)
"""


def test_who_looks_does_not_wait_for_who_hangs(tmp_path: Path) -> None:
    with a_run(tmp_path, function_ms_max=0) as (editor, running):
        editor.execute("UPDATE players SET value = 99 WHERE number = 1")
        running.says("it hangs")
        for look in LOOKS:
            done = adsindex(*look.split(), "--data", tmp_path / "data")
            assert "Traceback" not in done.errors and done.output, (look, done.errors)


def test_only_the_document_of_a_function_that_hangs_waits(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    with a_run(tmp_path, function_ms_max=800) as (editor, running):
        editor.execute("UPDATE players SET value = 99 WHERE number = 1")
        running.says("it hangs")
        editor.execute("UPDATE players SET value = 21, shirt = 'new' WHERE number = 2")
        wait = adsindex("wait", *data)
        assert wait.code == 0, wait
        assert "new" in adsindex("doc", "player/a,2", *data).output
        why = adsindex("why", "player/a,1", *data).output
        assert "checked" in why and "code.py" in why and "did not return within" in why, why
        (letter,) = adsindex("dead-letters", "list", "--json", *data).jsonl
        assert letter["column"] == "checked" and letter["subject"] == "player/a,1"
        editor.execute("UPDATE players SET value = 11 WHERE number = 1")
        assert adsindex("wait", *data).code == 0
        assert not adsindex("dead-letters", "list", "--json", *data).jsonl
        assert running.stop() == 0


@contextmanager
def a_run(folder: Path, function_ms_max: int) -> Iterator[tuple[sqlite3.Connection, Daemon]]:
    """Live; a player whose value is 99 makes it hang."""
    editor = club(folder / "club.db")
    (folder / "flows.toml").write_text(FLOWS)
    (folder / "code.py").write_text(CODE)
    (folder / "data").mkdir()
    (folder / "data" / "adsindex.toml").write_text(f"[argus]\nfunction_ms_max = {function_ms_max}\n")
    source = ("--source", f"sqlite:///{folder / 'club.db'}", "--flows", folder / "flows.toml")
    options = ("--handlers", folder / "code.py", "--data", folder / "data")
    running = Daemon(command("run", *source, *options), folder / "out")
    try:
        running.says("live: every edit")
        yield editor, running
    finally:
        running.process.kill()
        running.process.wait()
        editor.close()


def test_a_loop_that_does_not_turn_tells_in_which_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.count("Timeout") == 1, done.stderr
    assert 'File "<string>", line 10 in <module>' in done.stderr
