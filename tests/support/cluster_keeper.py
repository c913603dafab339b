"""Stops a cluster of tests when nobody uses it any more, however its users have ended: `python -m ... DATA`."""

import fcntl
import os
import sys
from pathlib import Path

from ops.cluster.cluster import Cluster
from ops.cluster.hbase import HBASE


def main(data: Path) -> None:
    with (data / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        Cluster(data / "cluster", [HBASE], os.environ, print).down()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
