"""How much faster two building processes are than one: `python -m tests.benchmarks.two_builders [--scale j4]`.

Gateway and updater run in a process of their own; beside them one or two processes build all documents again,
alternating. Prints the time of each refresh, from the job's own record, and the ratios.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from ops.demo.sample import FLOWS, make_database
from ops.demo.scale import SCALES
from ops.opened import DataFolder, opened
from proto.codec import encode_key
from proto.lane import Lane
from repo.api import Transaction
from repo.system import JOBS, STATE, JobState, decode_job_state, encode
from tests.support.processes import Daemon, command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="j4")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), options.scale, options.rounds)


def measure(folder: Path, scale: str, rounds: int) -> None:
    database, _ = make_database(folder, SCALES[scale], 1)
    run = command("run", "--source", f"sqlite:///{database}", "--flows", FLOWS, "--data", folder / "data")
    front = Daemon([*run, "--role", "gateway,updater"], folder / "front.txt")
    first = Daemon([*run, "--role", "argus"], folder / "argus1.txt")
    try:
        first.says("live")
        found: dict[int, list[float]] = {1: [], 2: []}
        for number in range(rounds):
            found[1].append(refresh(folder / "data", f"refresh ad one {number}"))
            second = Daemon([*run, "--role", "argus"], folder / f"argus2.{number}.txt")
            second.says("live")
            found[2].append(refresh(folder / "data", f"refresh ad two {number}"))
            second.stop()
            one, two = found[1][-1], found[2][-1]
            print(f"one process {one:.2f} s, two {two:.2f} s: {one / two:.2f} times as fast", flush=True)
        print(f"median {median(one / two for one, two in zip(found[1], found[2], strict=True)):.2f}")
    finally:
        first.stop()
        front.stop()


def refresh(data: Path, name: str) -> float:
    """Builds every document again; seconds."""
    with opened(data) as folder:
        transaction = Transaction(folder.repo.last_timestamp())
        job = JobState(
            id=name, kind="refresh", lane=Lane.LOW, at=folder.repo.last_timestamp(), target="ad", cursor=b"\1"
        )
        job.started_ms = folder.clock.now_ms()
        transaction.write(JOBS, encode_key((name,)), STATE, encode(job))
        assert folder.repo.commit([transaction])[0].committed
        shares: set[str] = set()
        while (now := stored(folder, name)).state == "running":
            shares.update(now.shares)
            time.sleep(0.02)
    print(f"  {now.done:,} documents, by {len(shares)} processes", end=": ")
    return (now.finished_ms - now.started_ms) / 1000


def stored(folder: DataFolder, name: str) -> JobState:
    with folder.repo.snapshot() as snapshot:
        (version,) = snapshot.read(JOBS, STATE, [encode_key((name,))])
    assert version is not None and version.value is not None
    return decode_job_state(version.value)


if __name__ == "__main__":
    main()
