"""The stage: two Argus workers over one store, and what the steps of a script do to them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from argus.api import HandlerContext, field
from ops.brokers.lmdb import LmdbLog
from proto.lane import Lane
from repo.api import Outcome, Repo, Transaction
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from tests.support.argus_world import World, put
from tests.support.shop import HandClock


@field(inputs={"title": "title"}, version=1, document="ad")
async def found(ctx: HandlerContext, title: str | None) -> int | None:
    """The budget of the campaign whose number is the title: a row that only the build knows of."""
    campaign = await ctx.read(ctx.row("campaigns", int(title if (title or "").isdigit() else 0)))  # type: ignore[arg-type]
    return campaign["budget"] if campaign else None


def hbase_twin() -> Callable[[LmdbLog], Repo]:
    """Makes Repos over one in-memory twin of HBase and one oracle."""
    clock, names = HandClock(), TableNames()
    cells = MemoryCells(clock)
    cells.require(oracle_tables(names))
    oracle = InProcessOracle(Oracle(oracle_storage(cells, names, b"scenario"), clock))
    return lambda log: DeliveredRepo(HbaseRepo(cells, cells, oracle, clock, b"scenario"), log)


class DeliveredRepo:
    """A Repo on HBase whose messages are in the log as soon as they are committed, as if the proxy had shipped them."""

    def __init__(self, repo: HbaseRepo, log: LmdbLog) -> None:
        self._repo, self._log = repo, log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._repo, name)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        outcomes = self._repo.commit(transactions)
        for transaction, outcome in zip(transactions, outcomes, strict=True):
            for topic, partition, payload in transaction.messages if outcome.committed else ():
                self._log.append(topic, partition, [outcome.commit_timestamp.to_bytes(8, "big") + payload])
        return outcomes


class Kept:
    """A snapshot that is left open."""

    def __init__(self, snapshot: Any) -> None:
        self._snapshot = snapshot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._snapshot, name)

    def __enter__(self) -> Any:
        return self._snapshot

    def __exit__(self, *exc: object) -> None:
        """It stays open."""


class Worker:
    """obeys: whether it gets at least the snapshot that it demands; asked with (still), because builds hold still."""

    obeys: Callable[[bool], bool] = staticmethod(lambda still: True)

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept: Any = None
        self._snapshot = world.repo.snapshot
        world.repo.snapshot = self.snapshot  # type: ignore[method-assign, assignment]

    def lags(self) -> None:
        self.kept = self._snapshot(still=True).__enter__()

    def snapshot(self, at_least: int = 0, still: bool = False) -> Any:
        if self.kept is not None and (at_least <= self.kept.timestamp or not Worker.obeys(still)):
            return Kept(self.kept)
        return self._snapshot(at_least, still=still)

    def close(self) -> None:
        if self.kept is not None:
            self.kept.__exit__(None, None, None)


class Stage:
    """Runs a script; its output stands behind the steps that made it."""

    def __init__(self, folder: Path, engine: Callable[[LmdbLog], Repo] | None = None) -> None:
        """engine: see World."""
        source = World(folder, functions=[found], engine=engine)
        worlds = {
            "first": source.again(functions=[found], live=True),
            "second": source.again(functions=[found], live=True),
        }
        self._source, self._workers = source, {name: Worker(world) for name, world in worlds.items()}
        self._offsets = dict.fromkeys(Lane, 0)

    def run(self, script: str) -> str:
        """The script with its real output in place of the one that it holds."""
        return "\n".join(self._played([line for line in script.split("\n") if not line.startswith(">")]))

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._source.close()

    def _played(self, lines: list[str]) -> Iterator[str]:
        at = 0
        while at < len(lines):
            line, end = lines[at], at + 1
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            shown = self._step(line, [inner[4:] for inner in lines[at + 1 : end]])
            yield from [*lines[at:end], *([f"> {shown}"] if shown is not None else [])]
            at = end

    def _step(self, line: str, inner: list[str]) -> Any:
        words = line.split()
        if not words or line.startswith("#"):
            return None
        if words[0] == "commit":
            self._source.commit(*map(_row, line.removeprefix("commit ").split("; ")))
        elif words[0] == "show":
            fields = self._source.fields(int(words[2]))
            return fields and fields[words[3]]
        elif words[1:] == ["lags"]:
            self._workers[words[0]].lags()
        else:
            self._takes(self._workers[words[0]], inner)
        return None

    def _takes(self, worker: Worker, inner: list[str]) -> None:
        if inner:
            worker.world.repo.before_commit = lambda: [self._step(line, []) for line in inner]
        worker.world._offsets = self._offsets  # of all workers: nobody takes what another one has taken
        worker.world.settle()
        assert worker.world.repo.before_commit is None, "there was no commit to interrupt"


def _row(text: str) -> Any:
    table, key, *values = text.split()
    return put(table, id=int(key), **{name: _value(value) for name, value in (part.split("=") for part in values)})


def _value(text: str) -> int | str:
    return int(text) if text.isdigit() else text
