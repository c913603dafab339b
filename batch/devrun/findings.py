"""What stands out about a field, and how suspicious that is.

A change that everybody expects is large, everywhere, and in a field whose function was edited. What hides a mistake is
another: few documents that change much, NULLs that were not there, a sign that flips, a factor of a million, an error
in three of a hundred documents, a field that nobody touched.
"""

import math
from array import array
from collections.abc import Iterator, Sequence

from batch.devrun.report import FieldReport, Finding, Times
from batch.devrun.tally import FieldTally

FEW_SHARE = 0.10
STRONG = 0.5
SLOWER_RATIO = 1.5
SLOWER_US_MIN = 3.0
SLOW_CALLS_MIN = 8
_CONSISTENT_SHARE = 0.8
_NEAR_A_POWER = 0.1  # decimal places: a quarter, by rounding
_ROUNDING = 0.3  # decimal places: 3.9 that became 2


def findings_of(tally: FieldTally) -> list[Finding]:
    """The heaviest first."""
    found = [*_failures(tally.report), *_kinds(tally), *_amounts(tally), *_extent(tally), *_speed(tally.report.times)]
    return sorted(found, key=lambda finding: -finding.weight)


def _failures(report: FieldReport) -> Iterator[Finding]:
    tried = report.compared + report.errors_after
    if report.new_errors:
        share = _percent(report.new_errors, tried)
        yield Finding("errors", f"fails on {report.new_errors:,} ({share}) that work with the running code", 95)
    elif report.errors_after:
        yield Finding("errors", f"fails on {report.errors_after:,}, as the running code does", 8)
    mended = report.errors_before - (report.errors_after - report.new_errors)
    if mended > 0:
        yield Finding("mended", f"works on {mended:,} that fail with the running code", 10)


def _kinds(tally: FieldTally) -> Iterator[Finding]:
    report = tally.report
    if report.status == "added":
        yield Finding("added", f"is new; {_percent(tally.new.nulls, report.compared)} are NULL", 15)
    elif report.status == "removed":
        yield Finding("removed", "is gone", 60)
    if report.status != "both":
        return
    if report.new_nulls:
        share = _percent(report.new_nulls, report.compared)
        yield Finding("new nulls", f"becomes NULL on {report.new_nulls:,} ({share})", 80)
    if report.nulls_filled:
        share = _percent(report.nulls_filled, report.compared)
        yield Finding("nulls filled", f"was NULL, has a value now on {report.nulls_filled:,} ({share})", 35)
    for change, times in report.type_changes.items():
        yield Finding("type", f"changes its type on {times:,}: {change}", 75)
    if tally.wandering:
        yield Finding(
            "unstable", "gives another value when it is computed again: time, chance, or state of its own", 90
        )
    if report.reordered == report.changed and report.changed:
        yield Finding("order", f"holds the same in another order on {report.reordered:,}", 30)


def _amounts(tally: FieldTally) -> Iterator[Finding]:
    report = tally.report
    if report.status != "both":
        return
    if report.sign_flips:
        share = _percent(report.sign_flips, report.compared)
        yield Finding("sign", f"flips its sign on {report.sign_flips:,} ({share})", 85)
    power = _power(tally.ratios)
    if power is not None and abs(power) >= 1.0:
        whole = abs(power - round(power)) < _NEAR_A_POWER
        factor = 10 ** abs(round(power) if whole else power)
        shown = f"{factor:,.0f} times as large" if power > 0 else f"{factor:,.0f} times smaller"
        sentence = f"is {'about ' * whole}{shown} on {len(tally.ratios):,} of {report.changed:,} that change"
        yield Finding("factor", sentence + (": another unit?" if whole else ""), 88)
        return
    step = _agreed(tally.steps) if report.kind in ("date", "datetime") else None
    if step:
        yield Finding("offset", f"is {_duration(abs(step))} {'later' if step > 0 else 'earlier'} on nearly all", 60)
    extreme = [ratio for ratio in tally.ratios if ratio > 0 and abs(math.log10(ratio)) >= 2.0]
    if extreme:
        largest = max(extreme, key=lambda ratio: abs(math.log10(ratio)))
        yield Finding("factor", f"changes by a factor of 100 and more on {len(extreme):,} (most: x{largest:,.6g})", 86)


def _extent(tally: FieldTally) -> Iterator[Finding]:
    report = tally.report
    if report.status != "both" or not report.changed:
        return
    share = report.changed_share
    text = f"{report.changed:,} of {report.compared:,} ({_percent(report.changed, report.compared)})"
    strong = sum(size >= STRONG for size in tally.sizes) / len(tally.sizes)
    if share <= FEW_SHARE and strong >= 0.5:
        yield Finding("few, strongly", f"few documents change, and these strongly: {text}", 55)
    elif share <= FEW_SHARE:
        yield Finding("few", f"few documents change: {text}", 40)
    else:
        yield Finding("changed", f"changes on {text}", 25)
    if not report.edited:
        yield Finding("not edited", "changes although its own code is the same: look at what it uses", 65)


def _speed(times: Times | None) -> Iterator[Finding]:
    if times is None:
        return
    before, after = times.before_p50, times.after_p50
    pairs = ((before, after), (times.before_p10, times.after_p10))  # a busy machine leaves some calls alone
    if all(new >= SLOWER_RATIO * old and new - old >= SLOWER_US_MIN for old, new in pairs):
        yield Finding("slower", f"takes {duration_us(before)} -> {duration_us(after)} a document", _slow_weight(after))
    elif times.slow_after >= SLOW_CALLS_MIN and times.slow_after >= 3 * times.slow_before:
        sentence = f"takes far longer than usual on {times.slow_after:,} ({times.slow_before:,} with the running code)"
        yield Finding("slower", sentence, _slow_weight(times.after_mean))


def _slow_weight(us: float) -> float:
    return 70 if us >= 1000 else 50


def _agreed(values: "array[float]") -> float | None:
    """The value that nearly all have; None if they don't."""
    if not values:
        return None
    middle = sorted(values)[len(values) // 2]
    return middle if sum(one == middle for one in values) >= _CONSISTENT_SHARE * len(values) else None


def _power(ratios: "array[float]") -> float | None:
    """The power of ten between nearly all the values and those before, rounding aside; None: there is none."""
    powers = sorted(math.log10(ratio) for ratio in ratios if ratio > 0)
    if not powers:
        return None
    middle = powers[len(powers) // 2]
    rounded_away = sum(ratio == 0 for ratio in ratios) if middle <= -2 else 0
    near = sum(abs(power - middle) <= _ROUNDING for power in powers)
    return middle if near + rounded_away >= _CONSISTENT_SHARE * len(ratios) else None


def _percent(part: int, whole: int) -> str:
    return percent(part / whole) if whole else "0 %"


def percent(share: float) -> str:
    """`3.1 %`; what is not nothing is never shown as nothing."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share * 100:.0f} %" if share in (0, 1) else f"{min(share * 100, 99.9):.1f} %"


def duration_us(us: float) -> str:
    """`3.2 us`, `1.4 ms`, `2.0 s`."""
    return f"{us:.1f} us" if us < 1000 else f"{us / 1000:.1f} ms" if us < 1_000_000 else f"{us / 1_000_000:.1f} s"


def amount(value: float) -> str:
    """`1,800,330`, `0.731`: a number without an exponent, as long as that can be read."""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 or value.is_integer() else f"{value:,.6g}"


def _duration(seconds: float) -> str:
    units: Sequence[tuple[float, str]] = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))
    for size, name in units:
        if seconds >= size:
            return f"{seconds / size:g} {name if seconds != size else name[:-1]}"
    return f"{seconds:g} seconds"
