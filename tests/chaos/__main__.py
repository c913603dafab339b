"""`python -m tests.chaos`: many seeds, until all have run; says which failed, and where their folders are."""

import argparse
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.chaos.play import Play


def main() -> int:
    """Exit code 1 when a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--seconds", type=float, default=7.0, help="of edits and acts, each")
    parser.add_argument("--disk", action="store_true", help="disturb the disk, too; needs strace")
    options = parser.parse_args()
    failed = []
    for number in range(options.first, options.first + options.seeds):
        began = time.monotonic()
        play = Play(number, Path(tempfile.mkdtemp(prefix=f"chaos-{number}-")), options.disk)
        good = False
        try:
            play.run(options.seconds)
            good = True
            print(f"seed {number}: {len(play.did)} acts, good ({time.monotonic() - began:.0f} s)", flush=True)
        except (AssertionError, subprocess.TimeoutExpired):
            failed.append(number)
            traceback.print_exc()
            print(f"seed {number}: WRONG, kept in {play.folder}\n  " + "\n  ".join(play.did), flush=True)
        finally:
            play.close(keep=not good)
    print(f"{options.seeds} seeds, wrong: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
