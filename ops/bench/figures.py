"""What the bench found, in the shape that scripts read."""

from collections.abc import Sequence

import msgspec

from ops.demo.witness import quantile


class Figures(msgspec.Struct, omit_defaults=True, kw_only=True):
    """None: that phase was not run. All commits are durable (sync and metasync on).

    mismatches         documents that differ from the join made in SQL, of `compared`
    lost               edits that are not to be seen in the end, counted by the documents they changed
    torn               published versions that mix two source transactions, of `looked_at` versions
    duplicates         versions that readers got twice
    load_docs_per_s    from an empty folder until a reader has every document
    trickle_ms         p50, p99, max from the return of an edit's COMMIT until all its documents are servable
    burst_docs_per_s   one transaction of 20,000 ads (or all), from its COMMIT until the last document is servable
    fanout_ms          documents that depend on the one row that changed -> the same time
    reinsert_ms        ads deleted in one transaction, and inserted again in another -> the same time
    high_p99_shift     how much larger the trickle's p99 is beside a refresh of all documents: 0.1 is 10 %
    high_p99_ms        the p99 of each short run, alone and beside the refresh, alternating
    refresh_docs_per_s documents that the refresh built meanwhile
    crash              kills of each role, edits made meanwhile
    rss_mb             at most, of anonymous and shared memory: without the mapped pages of the data file
    reader_mb          of it what the reader holds: the newest content of every document
    stages_us_per_doc  where the time of the burst went; commit is the end of a group, fsync included
    """

    job: str
    scale: str
    seed: int
    documents: int = 0
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    settings: dict[str, str | int | float]
    load_docs_per_s: float | None = None
    load_s: float | None = None
    trickle_ms: dict[str, float] | None = None
    trickle_edits: int | None = None
    burst_docs_per_s: float | None = None
    burst_documents: int | None = None
    fanout_ms: dict[str, float] | None = None
    reinsert_ms: dict[str, float] | None = None
    high_p99_shift: float | None = None
    high_p99_ms: dict[str, list[float]] | None = None
    refresh_docs_per_s: float | None = None
    crash: dict[str, int] | None = None
    stages_us_per_doc: dict[str, float] | None = None
    mismatches: int | None = None
    compared: int = 0
    lost: int | None = None
    torn: int | None = None
    looked_at: int = 0
    duplicates: int | None = None
    rss_mb: float | None = None
    reader_mb: float | None = None
    commits: int = 0

    @property
    def good(self) -> bool:
        return not (self.mismatches or self.lost or self.torn or self.duplicates)


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50, p99, max; ms."""
    return {name: round(quantile(values, share), 3) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}
