"""A function that never returns: the process is lost, but not the sight of it."""

import subprocess
import sys
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
LOOKS = ("status", "doctor", "doc player/a,1", "why player/a,1", "lanes show", "tail documents --no-follow")

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
    editor = club(tmp_path / "club.db")
    (tmp_path / "flows.toml").write_text(FLOWS)
    (tmp_path / "code.py").write_text(CODE)
    source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--flows", tmp_path / "flows.toml")
    data = ("--data", tmp_path / "data")
    running = Daemon(command("run", *source, "--handlers", tmp_path / "code.py", *data), tmp_path / "out")
    try:
        running.says("live: every edit")
        editor.execute("UPDATE players SET value = 99 WHERE number = 1")
        running.says("it hangs")
        for look in LOOKS:
            done = adsindex(*look.split(), *data)
            assert "Traceback" not in done.errors and done.output, (look, done.errors)
    finally:
        running.process.kill()
        running.process.wait()
        editor.close()


def test_a_loop_that_does_not_turn_tells_in_which_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.count("Timeout") == 1, done.stderr
    assert 'File "<string>", line 10 in <module>' in done.stderr
