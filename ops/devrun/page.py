"""A dry run's report, or one document explained, as a page: one file without requests, for a screen or for paper."""

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from batch.devrun.explanation import Explanation
from batch.devrun.findings import amount, duration_us, percent
from batch.devrun.report import FieldReport, Quantiles, Report

_TOP_BARS = 6
_QUANTILES = ("min", "p10", "p50", "p90", "max", "mean")


def page(found: Report | Explanation, shown: Callable[[Any], str]) -> str:
    """HTML, values escaped wherever they stand. shown: a value on one line."""
    environment = Environment(
        loader=PackageLoader("ops.devrun"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "duration": duration_us,
        "shown": shown,
        "number": amount,
        "heat": _heat,
    }
    environment.globals |= {"bars": _bars, "quantiles": _quantiles, "parts": _parts}
    name = "report.html.j2" if isinstance(found, Report) else "explanation.html.j2"
    return environment.get_template(name).render(found=found)


def _heat(weight: float) -> str:
    return "bad" if weight >= 50 else "odd" if weight >= 20 else "calm"


def _parts(field: FieldReport) -> list[tuple[str, int, float]]:
    """(kind, documents, percent of all): what became of the documents of one field."""
    nulls = min(field.new_nulls, field.changed)
    counts = {
        "same": field.same,
        "changed": field.changed - nulls,
        "nulls": nulls,
        "errors": field.errors_after,
    }
    whole = sum(counts.values()) or 1
    return [(kind, count, count / whole * 100) for kind, count in counts.items() if count]


def _bars(field: FieldReport) -> list[tuple[str, float, float]]:
    """(value, share before, share after) of the values that are frequent in either version."""
    shift = field.shift
    if shift is None or (shift.numbers_before and shift.numbers_after):
        return []
    before, after = dict(shift.top_before), dict(shift.top_after)
    names = sorted({**before, **after}, key=lambda name: -max(before.get(name, 0), after.get(name, 0)))
    whole = field.compared or 1
    return [(name, before.get(name, 0) / whole, after.get(name, 0) / whole) for name in names[:_TOP_BARS]]


def _quantiles(field: FieldReport) -> Sequence[tuple[str, float, float]]:
    """(name, before, after)."""
    shift = field.shift
    if shift is None or shift.numbers_before is None or shift.numbers_after is None:
        return []
    return [(name, _one(shift.numbers_before, name), _one(shift.numbers_after, name)) for name in _QUANTILES]


def _one(numbers: Quantiles, name: str) -> float:
    value: float = getattr(numbers, name)
    return value
