"""A client of the oracle that dies, without a word to anybody, after it has done a part of its transaction.

PREFIX ZOOKEEPER UNTIL, with UNTIL one of `begun`, `sent`, `answered`; prints the transaction's id before it dies.
"""

import os
import signal
import sys
from threading import Thread

from ops.wiring.oracle import election_path
from repo.oracle.grpc_client import GrpcOracle
from repo.oracle.port import CommitRequest
from repo.oracle.zookeeper import ZookeeperLeaders


def main(prefix: str, zookeeper: str, until: str) -> None:
    oracle = GrpcOracle(ZookeeperLeaders(zookeeper, election_path(prefix)))
    [begun] = oracle.begin()
    print(begun.id, flush=True)
    request = CommitRequest(*begun, written=(begun.id,))
    if until == "sent":
        thread = Thread(target=oracle.commit, args=([request],))
        thread.start()
        while not oracle.waiting() and thread.is_alive():  # it may be sent, and even answered, before anybody looks
            pass
        while oracle.waiting():
            pass
    elif until == "answered":
        oracle.commit([request])
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
