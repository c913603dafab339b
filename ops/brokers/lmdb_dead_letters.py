"""Dead letters in the LMDB environment that holds the log: one record for each (stage, subject).

Garbage: an entry goes when its subject is processed well again (`clear`), or when somebody discards it.
"""

import hashlib
from collections.abc import Iterator

import msgspec

from proto.ports.dead_letters import DeadLetterEntry
from repo.lmdb.environment import LmdbEnvironment

DEAD_LETTERS = "dead_letters"

_KEY_BYTES_MAX = 480  # LMDB's bound is 511
_PAGE = 200  # entries() reads so many in one read transaction, which must not stay open while its caller works

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(DeadLetterEntry).decode


class LmdbDeadLetters:
    """proto.ports.dead_letters.DeadLetters on LMDB. What is put inside a group is durable with it."""

    def __init__(self, environment: LmdbEnvironment) -> None:
        self._environment = environment
        environment.database(DEAD_LETTERS)

    def put(self, entry: DeadLetterEntry) -> None:
        key = _key(entry.stage, entry.subject)
        with self._environment.write() as transaction:
            database = self._environment.databases[DEAD_LETTERS]
            stored = transaction.get(key, db=database)
            if stored is not None:
                entry = msgspec.structs.replace(entry, first_ms=_decode(stored).first_ms)
            transaction.put(key, _encode(entry), db=database)

    def clear(self, stage: str, subject: str) -> bool:
        if not self.count() or self.get(stage, subject) is None:
            return False
        with self._environment.write() as transaction:
            return transaction.delete(_key(stage, subject), db=self._environment.databases[DEAD_LETTERS])

    def get(self, stage: str, subject: str) -> DeadLetterEntry | None:
        stored = self._environment.get(DEAD_LETTERS, _key(stage, subject))
        return _decode(stored) if stored is not None else None

    def entries(self) -> Iterator[DeadLetterEntry]:
        after = b""
        while True:
            with self._environment.read() as transaction:
                cursor = transaction.cursor(self._environment.databases[DEAD_LETTERS])
                found = cursor.set_range(after + b"\0") if after else cursor.first()
                page: list[tuple[bytes, bytes]] = []
                while found and len(page) < _PAGE:
                    page.append(cursor.item())
                    found = cursor.next()
                cursor.close()
            if not page:
                return
            yield from (_decode(value) for _, value in page)
            after = page[-1][0]

    def count(self) -> int:
        with self._environment.read() as transaction:
            return transaction.stat(self._environment.databases[DEAD_LETTERS])["entries"]


def _key(stage: str, subject: str) -> bytes:
    key = f"{stage}\0{subject}".encode()
    if len(key) <= _KEY_BYTES_MAX:
        return key
    return key[: _KEY_BYTES_MAX - 16] + hashlib.blake2b(key, digest_size=16).digest()
