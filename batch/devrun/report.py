"""What a dev run found, as values: what the terminal, the page and JSON all show."""

from typing import Any

import msgspec


class Quantiles(msgspec.Struct):
    """Of numbers; dates and datetimes as seconds since 1970."""

    min: float
    p10: float
    p50: float
    p90: float
    max: float
    mean: float


class Shift(msgspec.Struct):
    """How the distribution of a field moved. measure: "KS" (numbers) or "TV" (all else), see batch.devrun.spread.

    top_*: most frequent values with their counts; of numbers too, when few values are all there are
    """

    measure: str
    value: float
    numbers_before: Quantiles | None
    numbers_after: Quantiles | None
    top_before: list[tuple[str, int]]
    top_after: list[tuple[str, int]]


class Example(msgspec.Struct):
    """One document (or row) whose value differs."""

    id: str
    before: Any
    after: Any


class Finding(msgspec.Struct):
    """Something about a field that somebody should look at. weight: 0..100, how suspicious it is."""

    code: str
    sentence: str
    weight: float


class Times(msgspec.Struct):
    """How long a function took, in microseconds a call. slow_*: calls that took far longer than usual before."""

    before_p50: float
    after_p50: float
    before_mean: float
    after_mean: float
    before_p10: float = 0.0
    after_p10: float = 0.0
    slow_before: int = 0
    slow_after: int = 0


class FieldReport(msgspec.Struct):
    """One field of a document type, or one column that a handler writes (its counts are rows then).

    edited       its own function, inputs or path differ between the two versions
    status       "both", "added" (only the new code has it), "removed"
    compared     how often both versions gave a value; same + changed
    new_errors   where it fails with the new code only
    """

    subject: str
    name: str
    kind: str
    origin: str
    owner: str = ""
    critical: bool = False
    edited: bool = False
    status: str = "both"
    compared: int = 0
    same: int = 0
    changed: int = 0
    new_nulls: int = 0
    nulls_filled: int = 0
    type_changes: dict[str, int] = {}
    sign_flips: int = 0
    reordered: int = 0
    errors_before: int = 0
    errors_after: int = 0
    new_errors: int = 0
    shift: Shift | None = None
    times: Times | None = None
    examples: list[Example] = []
    findings: list[Finding] = []

    @property
    def changed_share(self) -> float:
        return self.changed / self.compared if self.compared else 0.0

    @property
    def score(self) -> float:
        """What the list is ranked by."""
        if not self.findings:
            return 0.0
        heaviest = max(finding.weight for finding in self.findings)
        return heaviest + sum(finding.weight for finding in self.findings) / 1000 + (5.0 if self.critical else 0.0)


class ErrorReport(msgspec.Struct):
    """Failures of one kind at one place. version: "new", "running"; documents: how many; ids: some of them."""

    version: str
    subject: str
    field: str
    kind: str
    message: str
    place: str
    trace: str
    documents: int
    share: float
    ids: list[str]


class TypeReport(msgspec.Struct):
    """One document type. added, removed: documents that only one of the versions has; stored_differs: documents that
    the running code builds otherwise than they are stored; unstable: fields that give another value the second time."""

    name: str
    compared: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    became_servable: int = 0
    became_unservable: int = 0
    failed_before: int = 0
    failed_after: int = 0
    lost_after: int = 0
    stored_differs: int = 0
    us_before: float = 0.0
    us_after: float = 0.0


class ThresholdFailure(msgspec.Struct):
    """A threshold that was exceeded, as a sentence."""

    threshold: str
    sentence: str


class Report(msgspec.Struct):
    """A whole dev run.

    as_of         the snapshot's timestamp; nanoseconds since 1970
    drawn         how the sample was made, for people
    fields        the most suspicious first; those without a finding keep their order behind them
    """

    data: str
    as_of: int
    when: str
    seed: int
    drawn: str
    new_code: str
    edited: list[str]
    remarks: list[str]
    types: list[TypeReport]
    fields: list[FieldReport]
    errors: list[ErrorReport]
    verdict: str = ""
    stopped: str = ""
    failures: list[ThresholdFailure] = []
