"""A Python environment for each peer, apart from ours: made when it is first needed, with pinned versions."""

import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parent
ENVIRONMENTS = Path(__file__).parents[3] / ".bench" / "peers"
NEEDS = {"pathway": "", "flink": "java"}
"""Peer -> the program that must be there."""


def python_of(peer: str) -> Path | str:
    """The peer's Python; why there is none, when it can't be had."""
    needed = NEEDS[peer]
    if needed and shutil.which(needed) is None:
        return f"it needs {needed}, which is not installed (on Debian: apt-get install openjdk-17-jre-headless)"
    folder, pins = ENVIRONMENTS / peer, PEERS / f"{peer}.txt"
    python, made_of = folder / "bin" / "python", folder / "made-of.txt"
    if not made_of.exists() or made_of.read_text() != pins.read_text():
        print(f"installing {peer} into {folder} ...", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                return f"it can't be installed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        made_of.write_text(pins.read_text())
    return python
