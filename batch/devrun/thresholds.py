"""Limits that a release must keep: `5%` or a number for every field, `FIELD=5%` for one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from batch.devrun.findings import percent
from batch.devrun.report import FieldReport, Report, ThresholdFailure, TypeReport
from proto.errors import SettingsError
from proto.flows.paths import nearest


class Limit(NamedTuple):
    """field "": every field without a limit of its own. share: value is a part of all documents, 0..1."""

    field: str
    value: float
    share: bool

    def shown(self) -> str:
        return f"{self.value * 100:g} %" if self.share else f"{self.value:g}"


def parse_limits(option: str, texts: Iterable[str]) -> dict[str, Limit]:
    """`["5%", "effective_bid_micros=0"]` -> by field. Raises SettingsError that names the option."""
    limits: dict[str, Limit] = {}
    for text in texts:
        field, equals, value = text.rpartition("=")
        limit = _limit(option, text, field if equals else "", value)
        limits[limit.field] = limit
    return limits


def exceeded(report: Report, limits: Mapping[str, Mapping[str, Limit]]) -> list[ThresholdFailure]:
    """limits: option -> by field. Raises SettingsError for a field that neither version has."""
    known = [field.name for field in report.fields]
    failures = []
    for option, by_field in limits.items():
        for name in by_field:
            if name and name not in known:
                raise SettingsError(f"--{option} {name}: there is no such field; {nearest(name, known)}")
        failures += [failure for field in report.fields for failure in _of_field(option, by_field, field)]
        if option == "max-errors" and "" in by_field:
            failures += [failure for one in report.types for failure in _of_type(by_field[""], one)]
    return failures


def _of_field(option: str, limits: Mapping[str, Limit], field: FieldReport) -> Sequence[ThresholdFailure]:
    limit = limits.get(field.name) or limits.get("")
    if limit is None or (field.name not in limits and field.status != "both"):
        return []
    found, of, what = _measured(option, field)
    share = found / of if of else 0.0
    if (share if limit.share else found) <= limit.value:
        return []
    if of == 1:
        sentence = f"{field.name} {what} {found:,.3g}; {limit.shown()} is allowed"
    else:
        sentence = f"{field.name} {what} {found:,} of {of:,} ({percent(share)}); {limit.shown()} is allowed"
    return [ThresholdFailure(f"--{option}", sentence)]


def _of_type(limit: Limit, kind: TypeReport) -> Sequence[ThresholdFailure]:
    """Documents that a crash or an endless loop has taken with it."""
    share = kind.lost_after / kind.compared if kind.compared else 0.0
    if not kind.lost_after or (share if limit.share else kind.lost_after) <= limit.value:
        return []
    count = f"{kind.lost_after:,} of {kind.compared:,} ({percent(share)})"
    sentence = f"{kind.name} documents crash the new code or hang in it on {count}; {limit.shown()} is allowed"
    return [ThresholdFailure("--max-errors", sentence)]


def _measured(option: str, field: FieldReport) -> tuple[float, float, str]:
    """(how many, of how many, what happens to them)."""
    if option == "max-changed":
        return field.changed, field.compared, "changes on"
    if option == "max-errors":
        return field.new_errors, field.compared + field.errors_after, "fails with the new code on"
    if option == "max-new-nulls":
        return field.new_nulls, field.compared, "becomes NULL on"
    if option == "max-shift":
        return field.shift.value if field.shift else 0.0, 1, "shifts by"
    assert option == "max-slower"
    times = field.times
    return (times.after_mean / max(times.before_mean, 1.0) if times else 0.0), 1, "takes, as a multiple of now,"


def _limit(option: str, text: str, field: str, value: str) -> Limit:
    share = value.endswith("%")
    try:
        number = float(value.removesuffix("%")) / (100 if share else 1)
    except ValueError:
        number = -1.0
    if number < 0:
        raise SettingsError(f"--{option} {text}: write a number or a share, as in 12, 5% or FIELD=5%")
    return Limit(field, number, share)
