"""Rows are edited, notified of, joined into documents and published, by the product's own processors.

Any client applies the source's transactions, takes notifications in any order, several of them the same ones, and
publishes. Only the dispatcher before Argus is the simulator's own.
"""

from proto.errors import OutcomeUnknownError
from proto.events import NOTIFICATIONS, PUBLICATIONS
from proto.lane import Lane
from proto.ports.processor import DONE, Item
from tests.simulation.actors.client import Client
from tests.simulation.actors.source import Source
from tests.simulation.argus_process import ArgusProcess, argus_process, tables
from tests.simulation.checkers.documents import lost_changes, wrong_documents
from tests.simulation.dispatcher import NEVER, Dispatcher
from tests.simulation.scheduler import Process

TAKEN_MAX, EVERYTHING = 6, 10_000
POLL_MS_MAX, BETWEEN_POLLS_MS_MAX = 80.0, 2.0
LINGER_MS_MAX = 200.0
"""Others edit and build meanwhile, several times."""
ROUNDS_MAX = 30
"""After the last fault so many are more than enough."""


class Documents:
    """One for all clients of a run."""

    def __init__(self) -> None:
        self._source = Source()
        self._applied = 0
        self._processes: dict[Process, ArgusProcess] = {}
        self._edits: dict[Process, float] = {}
        self._dispatcher = Dispatcher(tables())

    def prepare(self, client: Client) -> None:
        self._source.fill(client.random)
        self._apply(client)

    def act(self, client: Client) -> None:
        """A client is rather an updater or rather Argus; which, is drawn once."""
        edits = self._edits.setdefault(client.process, client.random.choice((0.1, 0.8)))
        if client.random.random() < edits:
            self._source.edit(client.random)
            self._apply(client)
        else:
            self._poll(client, NOTIFICATIONS if client.random.random() < 0.7 else PUBLICATIONS)

    def finish(self, client: Client) -> None:
        """Until nothing is left to be done."""
        for _ in range(ROUNDS_MAX):
            self._apply(client)
            self._take(client, NOTIFICATIONS, EVERYTHING)
            self._take(client, PUBLICATIONS, EVERYTHING)
            client.scheduler.sleep(100.0)  # the write-ahead log is shipped meanwhile
            if not any(client.topics.waiting.values()):
                break
        else:
            client.failures.append(f"still waiting: {client.topics.waiting}")
        client.failures += wrong_documents(client.repo.history, self._source, client.topics.documents)

    def _apply(self, client: Client) -> None:
        """All units of the source that nobody has said to have applied; others may be at it, too."""
        first, units = self._applied, self._source.units[self._applied :]
        items = [Item(unit, Lane.HIGH, 1, "source") for unit in units]
        try:
            outcomes = self._process(client).updater.process(items)
        except OutcomeUnknownError:
            return
        assert outcomes == [DONE] * len(items), outcomes
        self._applied = max(self._applied, first + len(items))

    def _poll(self, client: Client, topic: str) -> None:
        """Takes messages as soon as there are some, and again as soon as those are decided that were not."""
        self._process(client)
        until_ms = client.scheduler.now_ms + POLL_MS_MAX
        while client.scheduler.now_ms < until_ms and not self._take(client, topic):
            client.scheduler.sleep(client.random.uniform(0.0, BETWEEN_POLLS_MS_MAX))

    def _take(self, client: Client, topic: str, most: int = TAKEN_MAX) -> int:
        """Some messages of a topic, in any order; they wait on when this ends in any other way than by DONE. Returns
        how many were processed."""
        done = 0
        for name, waiting in list(client.topics.waiting.items()):
            if not name.startswith(topic):
                continue
            count = most if most == EVERYTHING else client.random.randint(1, most)
            offsets = client.random.sample(list(waiting), min(len(waiting), count))
            taken = {offset: waiting[offset] for offset in offsets}
            decided = self._dispatcher.decided(client, list(taken.values())) if taken else {}
            items = [
                Item(decided[message.id].to_bytes(8, "big") + message.payload, Lane.HIGH, 1, f"{name}@{offset}")
                for offset, message in taken.items()
                if decided.get(message.id, NEVER) != NEVER
            ]
            process = self._process(client)
            processor = process.publisher if topic == PUBLICATIONS else process.argus
            outcomes = processor.process(items) if items else []
            if all(outcome == DONE for outcome in outcomes):
                if topic == NOTIFICATIONS:
                    client.failures += [lost for item in items for lost in lost_changes(client.repo.history, item)]
                for offset, message in taken.items():
                    if message.id in decided:
                        done += waiting.pop(offset, None) is not None
        return done

    def _process(self, client: Client) -> ArgusProcess:
        known = self._processes.get(client.process)
        if known is None:
            known = self._processes[client.process] = argus_process(client.repo, client.clock, client.documents)
            client.repo.before_commit = lambda: self._linger(client)
        return known

    def _linger(self, client: Client) -> None:
        """Between the last read and the commit: a build may take long."""
        if client.random.random() < 0.2:
            client.rest(LINGER_MS_MAX)
