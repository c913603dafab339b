"""Signals of documents that a job is about to build: asked for first, so that none is built twice; and which documents
have old ones."""

from collections.abc import Mapping, Sequence

from argus.fetch import Fetch
from argus.plan import Plan, SignalKey
from argus.signals.port import Key
from argus.signals.pull import Pull
from argus.signals.resolve import Resolver
from proto.flows.model import Flows
from proto.ports.clock import Clock
from proto.record import BuildRecord, SignalReading, decode_build
from repo.api import Repo, Version
from repo.rows import GroupReader
from repo.system import BUILD, document_table

Asked = list[tuple[Pull, Key]]


class Ahead:
    """The signals of one document type."""

    def __init__(
        self, repo: Repo, flows: Flows, document_type: str, signals: Sequence[SignalKey], pulls: Mapping[str, Pull],
        readers: dict[tuple[str, str], GroupReader], clock: Clock,
    ) -> None:  # fmt: skip
        plan = Plan(flows, flows.documents[document_type].root)  # of the keys alone
        for one in signals:
            plan.add_signal(one.signal)
        self._repo, self._type, self._pulls, self._clock = repo, document_type, pulls, clock
        self._fetch = Fetch(plan, readers)
        self._resolver = Resolver(document_type, plan.signals, pulls, clock)
        self._waits: dict[str, tuple[bytes, Asked]] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._resolver)

    def waits(self, job: str, share: bytes) -> bool:
        """Whether answers are still to come that the next slice of a job has asked for. Each is waited for once."""
        known = self._waits.get(job)
        return known is not None and known[0] == share and any(pull.is_asked(key) for pull, key in known[1])

    def ask(self, job: str, share: bytes, documents: Sequence[bytes]) -> bool:
        """Asks for the signals of documents; True: wait for the answers."""
        if self._has_waited(job, share):
            return False
        with self._repo.snapshot() as snapshot:
            fetched = self._fetch.rows(snapshot, documents)
            versions = snapshot.read(document_table(self._type), BUILD, documents)
        return self._wait(job, share, self._resolver.ask(fetched, lambda place: _readings(versions[place])))

    def old(self, job: str, share: bytes, documents: Sequence[bytes]) -> tuple[list[bytes], bool]:
        """Those of the documents that have a reading too old, or none, and may get another; asks for what they need.
        True: wait for the answers."""
        with self._repo.snapshot() as snapshot:
            versions = snapshot.read(document_table(self._type), BUILD, documents)
        now_ms, found, asked = self._clock.now_ms(), list[bytes](), Asked()
        for document, version in zip(documents, versions, strict=True):
            old = [self._is_old(reading, now_ms, asked) for reading in _readings(version)]  # asks for each of them
            if any(old):
                found.append(document)
        for pull in self._pulls.values():
            pull.start_calls()
        if self._has_waited(job, share):
            return found, False
        return found, self._wait(job, share, asked)

    def _is_old(self, reading: SignalReading, now_ms: float, asked: Asked) -> bool:
        """A reading that can't be had now is not worth a build, unless its values are to be omitted until then."""
        pull = self._pulls.get(reading.signal)
        if pull is None or reading.key is None:
            return False
        known = reading.fetched_ms and reading.shape == pull.cache.shape
        if known and reading.state != "failed" and pull.cache.until_ms(reading) > now_ms:
            return False
        entry = pull.known(reading.key, reading)  # after a restart too, an answer must not be older than this
        if entry is not None and entry.until_ms > now_ms:
            return True
        if pull.want(reading.key):
            asked.append((pull, reading.key))
            return True
        return pull.signal.on_failure == "omit" and reading.state in ("fresh", "last_good")

    def _has_waited(self, job: str, share: bytes) -> bool:
        """Answers were asked for before, and have come or could not be had: they are not waited for again."""
        waited = job in self._waits and self._waits[job][0] == share
        if waited:
            del self._waits[job]
        return waited

    def _wait(self, job: str, share: bytes, asked: Asked) -> bool:
        if asked:
            self._waits[job] = (share, asked)
        return bool(asked)


def _readings(version: Version | None) -> Sequence[SignalReading]:
    if version is None or version.value is None:
        return ()
    build: BuildRecord = decode_build(version.value)
    return build.signals or ()
