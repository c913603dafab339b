"""What of the log only LMDB has; the rest is in tests/contract/log."""

from collections.abc import Iterator
from pathlib import Path
from struct import pack

import pytest

from ops.brokers.lmdb import MESSAGES, STATE, LmdbLog
from ops.engine.clock import SystemClock
from proto.events import DOCUMENTS, NOTIFICATIONS
from repo.lmdb.environment import LmdbEnvironment

DOCUMENT = b"d" * 1200


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[LmdbEnvironment]:
    opened = LmdbEnvironment(tmp_path, SystemClock(), nonce=b"log")
    yield opened
    opened.close()


def pages(environment: LmdbEnvironment) -> int:
    with environment.read() as transaction:
        return int(transaction.stat(environment.databases[MESSAGES])["leaf_pages"])


def values(log: LmdbLog, partition: int) -> list[bytes]:
    return [message.value for message in log.read(DOCUMENTS, partition, 0, 1000)]


def test_the_documents_topic_fills_its_pages_whatever_is_appended_between(environment: LmdbEnvironment) -> None:
    log = LmdbLog(environment)
    log.append(DOCUMENTS, 0, [DOCUMENT])
    for _ in range(20):
        log.append(NOTIFICATIONS, 0, [b"n"])
        log.append(DOCUMENTS, 0, [DOCUMENT] * 15)
        log.append("a topic made later", 0, [b"l"])
    assert values(log, 0) == [DOCUMENT] * 301
    assert pages(environment) <= 301 / 3 + 3  # three go on a page; without `append` there would be two


def test_what_lies_before_a_higher_partition_is_put_in_its_place(environment: LmdbEnvironment) -> None:
    log = LmdbLog(environment)
    log.append(DOCUMENTS, 1, [b"higher"])
    assert log.append(DOCUMENTS, 0, [b"first"]) == 0
    assert log.append(DOCUMENTS, 0, [b"second", b"third"]) == 1
    assert (values(log, 0), values(log, 1)) == ([b"first", b"second", b"third"], [b"higher"])


def test_the_topics_id_in_a_folder_of_an_older_program_stays(environment: LmdbEnvironment) -> None:
    log = LmdbLog(environment)
    with environment.write() as transaction:
        state = environment.databases[STATE]
        transaction.put(b"I", pack(">H", 1), db=state)
        transaction.put(b"T" + DOCUMENTS.encode(), pack(">HH", 0, 1), db=state)
        transaction.put(b"B" + DOCUMENTS.encode() + b"\0\0\0", pack(">HQQ", 0, 0, 1), db=state)
        transaction.put(pack(">HHQ", 0, 0, 0), b"old", db=environment.databases[MESSAGES])
    log.append(NOTIFICATIONS, 0, [b"n"])
    assert log.append(DOCUMENTS, 0, [b"new", b"newer"]) == 1
    assert values(log, 0) == [b"old", b"new", b"newer"]
