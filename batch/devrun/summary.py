"""A dry run's report, put together: who was compared, what stands out, and one sentence that says it all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from batch.devrun.comparison import Comparison
from batch.devrun.messages import CodeFacts
from batch.devrun.report import FieldReport, Report, TypeReport

_SUSPICIOUS = 50.0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """data: the folder; when: the snapshot's time for people; drawn: how the sample was; new_code: what was given."""

    data: str
    as_of: int
    when: str
    seed: int
    drawn: str
    new_code: str


def summarize(
    comparison: Comparison, new: CodeFacts, circumstances: Circumstances, remarks: Sequence[str], stopped: str
) -> Report:
    """The report, still without thresholds."""
    types = list(comparison.types.values())
    fields = comparison.reports()
    tried = sum(one.compared for one in types)
    report = Report(
        circumstances.data,
        circumstances.as_of,
        circumstances.when,
        circumstances.seed,
        circumstances.drawn,
        circumstances.new_code,
        _names(comparison.edited()),
        [*remarks, *new.remarks, *_unraised(comparison), *_stored(types)],
        types,
        fields,
        comparison.errors.reports(tried),
        stopped=stopped,
    )
    report.verdict = _verdict(report)
    return report


def suspicious(report: Report) -> list[FieldReport]:
    """Fields with something that is rarely meant."""
    return [field for field in report.fields if field.findings and field.findings[0].weight >= _SUSPICIOUS]


def _names(fields: Iterable[FieldReport]) -> list[str]:
    return [
        field.name + {"both": "", "added": " (new)", "removed": " (gone)"}[field.status]
        for field in fields
        if not field.name.startswith("[") or field.status == "both"
    ]


def _unraised(comparison: Comparison) -> list[str]:
    names = dict.fromkeys(field.origin.split(" ")[0] for field in comparison.unraised())
    if not names:
        return []
    many = len(names) > 1
    return [
        f"{', '.join(names)}: the code is another, the version the same; raise {'their versions' if many else 'it'} to "
        f"have all documents built again"
    ]


def _stored(types: Iterable[TypeReport]) -> list[str]:
    return [
        f"{one.stored_differs:,} of {one.compared:,} {one.name} documents are stored otherwise than the running code "
        f"builds them: it was edited in place, or a rebuild is under way"
        for one in types
        if one.stored_differs
    ]


def _verdict(report: Report) -> str:
    compared = sum(one.compared for one in report.types)
    changing = [field for field in report.fields if field.changed and field.status == "both"]
    parts = [f"{len(changing)} of {len(report.fields)} fields change" if changing else "no field changes"]
    failing = sum(one.failed_after for one in report.types)
    failed = sum(one.failed_before for one in report.types)
    if failing:
        before = f" ({failed:,} with the running code)" if failed else ""
        parts.append(f"{failing:,} of {compared:,} documents fail{before}")
    for name, count in (
        ("stop being servable", sum(one.became_unservable for one in report.types)),
        ("become servable", sum(one.became_servable for one in report.types)),
        ("are new", sum(one.added for one in report.types)),
        ("are gone", sum(one.removed for one in report.types)),
    ):
        if count:
            parts.append(f"{count:,} {name}")
    slower = [field for field in report.fields if any(one.code == "slower" for one in field.findings)]
    if slower:
        parts.append(f"{len(slower)} {'function takes' if len(slower) == 1 else 'functions take'} longer")
    look = len(suspicious(report))
    return ", ".join(parts) + (f"; look at {look}" if look else "") + "."
