"""Failures, those of one kind at one place together."""

from batch.devrun.messages import Trouble
from batch.devrun.report import ErrorReport

_IDS_MAX = 5


class Errors:
    """Counts them; keeps the first trace and a few ids of each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], ErrorReport] = {}

    def add(self, version: str, subject: str, field: str, trouble: Trouble, identity: str) -> None:
        """One document (or row) that failed."""
        at = (version, subject, field, trouble.kind, trouble.place)
        known = self._found.get(at)
        if known is None:
            known = self._found[at] = ErrorReport(
                version, subject, field, trouble.kind, trouble.message, trouble.place, trouble.trace, 0, 0.0, []
            )
        known.documents += 1
        if len(known.ids) < _IDS_MAX:
            known.ids.append(identity)

    def reports(self, of: int) -> list[ErrorReport]:
        """Those of the new code first, the most frequent first. of: documents that were tried."""
        for report in self._found.values():
            report.share = report.documents / of if of else 0.0
        return sorted(self._found.values(), key=lambda report: (report.version != "new", -report.documents))
